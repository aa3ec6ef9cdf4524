"""What a study keeps of its spec, so that `--resume NAME` needs no more than the name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from experiments.tuning.study.objectives import describe, parse_objectives
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.worker.addresses import mask_credentials
from narm.config import OPTIONS
from narm.errors import InputError
from search_spaces.space import SearchSpace, parse_space

Record = dict[str, Any]

# Options that change how long a trial trains or what is reported, and not what its value means.
_FREE = {"epochs", "metrics", "topk", "eval_batch_size", "valid_metric"}
_SETTINGS = (
    "sampler", "scheduler", "grace_epochs", "reduction", "trials", "time_budget", "concurrency", "threads", "device",
    "gpus_per_trial", "finalists", "finalist_seeds", "checkpoint_storage",
    "system_metrics",
)  # fmt: skip


def stored_spec(spec: StudySpec, fingerprint: str) -> Record:
    """What to keep, in JSON types. An address with a password is not kept.

    Args:
        spec: of the study.
        fingerprint: of its data.
    """
    space = spec.space
    return {
        **{name: getattr(spec, name) for name in _SETTINGS},
        "config": spec.config.flat(),
        "space": {"name": space.name, "file": space.file, "source": space.source},
        "objectives": describe(spec.objectives),
        "limits": asdict(spec.limits),
        "tracking_uri": spec.tracking_uri if mask_credentials(spec.tracking_uri) == spec.tracking_uri else None,
        "fingerprint": fingerprint,
    }


def stored_space(record: Record) -> SearchSpace:
    """The space of a study, as it was."""
    kept = record["space"]
    return parse_space(kept["name"], kept["file"], kept["source"])


def check_resumable(record: Record, spec: StudySpec, fingerprint: str) -> None:
    """Check that a spec goes on with what a study began: its trials must mean the same.

    Space, sampler, scheduler, budgets, concurrency and the places of results may be others.

    Raises:
        InputError: another dataset, objective or fixed option; the message says which.
    """
    if record["fingerprint"] != fingerprint:
        raise InputError(
            f"resume: study '{spec.name}' was on other data ({record['config']['dataset']}, fingerprint "
            f"{record['fingerprint'][:12]}, now {fingerprint[:12]}): its values would not compare; start a new study"
        )
    before, now = parse_objectives(record["objectives"]), spec.objectives
    if before != now:
        raise InputError(
            f"resume: study '{spec.name}' is for {describe(before)}, not {describe(now)}: start a new study"
        )
    flat = spec.config.flat()
    searched = {*spec.space.options, *stored_space(record).options}
    for name, option in OPTIONS.items():
        # What the data are is in the fingerprint; files may have moved.
        if option.section != "data" and name not in _FREE | searched and record["config"].get(name) != flat[name]:
            raise InputError(
                f"resume: {name} was {record['config'].get(name)} in study '{spec.name}', not {flat[name]}: "
                "leave it as it was, or start a new study"
            )
