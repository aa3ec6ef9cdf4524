"""What a study stores of its spec, so that `--resume NAME` needs no more than the name."""

from __future__ import annotations

from typing import Any

from experiments.tuning.study.constraints import describe as describe_constraints
from experiments.tuning.study.constraints import parse_constraints
from experiments.tuning.study.objectives import describe, parse_objectives
from experiments.tuning.study.setting import Setting, settings
from experiments.tuning.study.setting_rules import restore_space
from experiments.tuning.study.spec import StudySpec
from narm.config import OPTIONS, Config
from narm.errors import InputError
from search_spaces.space import SearchSpace

Record = dict[str, Any]

# Options that change how long a trial trains or what is reported, and not what its value means.
_FREE = {"epochs", "metrics", "topk", "eval_batch_size", "valid_metric"}
NOT_STORED = {
    "name": "a study is found by it",
    "storage": "a study is found in it",
    "output": "folders may be moved",
    "address": "a cluster may be gone",
    "command": "each session has its own, which MLflow and summary.json keep",
    "default_is_finalist": "follows from the command: a comparison of models does without it",
}
"""Fields that `--resume` does not restore, with the reason; all others are stored."""


def stored_spec(spec: StudySpec, fingerprint: str) -> Record:
    """The spec in JSON types, without an address that has a password.

    Args:
        spec: what to store.
        fingerprint: identifies the study's data.
    """
    record: Record = {"fingerprint": fingerprint}
    for name, known in _stored(type(spec)).items():
        *outer, key = (known.key or name).split(".")
        place = record
        for part in outer:
            place = place.setdefault(part, {})
        value = getattr(spec, name)
        place[key] = known.store(value) if known.store_in is None else known.store_in(value, spec.output)
    return record


def restored_settings(record: Record, spec: type[StudySpec] = StudySpec) -> dict[str, Any]:
    """Values of the spec's fields as a study has them; a study from before a field has none for it.

    Args:
        record: what the study has stored.
        spec: the class whose fields are restored.
    """
    found = {}
    for name, known in _stored(spec).items():
        *outer, key = (known.key or name).split(".")
        place = record
        for part in outer:
            place = place.get(part, {})
        if key in place:
            found[name] = known.restore(place[key])
    return found


def _stored(spec: type[StudySpec]) -> dict[str, Setting]:
    return {name: known for name, known in settings(spec).items() if name not in NOT_STORED}


def stored_space(record: Record) -> SearchSpace:
    """The space of a study, as it was."""
    return restore_space(record["space"])


def check_resumable(record: Record, spec: StudySpec, fingerprint: str) -> None:
    """Check that a spec goes on with what a study began: its trials must mean the same.

    Space, sampler, scheduler, budgets, concurrency and the places of results may be others. An option that is younger
    than the study had what is its default now.

    Raises:
        InputError: another dataset, objective, constraint or fixed option; the message says which.
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
    bounds = parse_constraints(record.get("constraints", ()))
    if set(bounds) != set(spec.constraints):
        raise InputError(
            f"resume: study '{spec.name}' has {describe_constraints(bounds) or 'no constraints'}, not "
            f"{describe_constraints(spec.constraints) or 'none'}: start a new study, with --warm-start {spec.name}"
        )
    flat, recorded = spec.config.flat(), Config().flat() | record["config"]
    searched = {*spec.space.options, *stored_space(record).options}
    for name, option in OPTIONS.items():
        # What the data are is in the fingerprint; files may have moved.
        if option.section != "data" and name not in _FREE | searched and recorded[name] != flat[name]:
            raise InputError(
                f"resume: {name} was {recorded[name]} in study '{spec.name}', not {flat[name]}: "
                "leave it as it was, or start a new study"
            )
