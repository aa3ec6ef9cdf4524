"""Configurations to try before any is drawn: the best of earlier studies, or a person's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.tuning.study.storage import closing_study, load_study, read_stored_spec
from experiments.tuning.study.trial_attributes import options_of, trials_of, value_of
from narm.config import OPTIONS, Config
from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.text_file import read_text
from narm.text.yaml_file import parse_yaml
from search_spaces.space import SearchSpace

BEST = 5  # of an earlier study, when nothing is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A configuration to try: values of options, and where it comes from."""

    options: Mapping[str, Any]
    origin: str


def best_of_study(text: str, *, storage: str, space: SearchSpace, config: Config, fingerprint: str) -> list[Queued]:
    """The best configurations of an earlier study of the same data, from the best down.

    Args:
        text: `STUDY` or `STUDY:k`.
        storage: the database that has it.
        space: space of the new study; configurations outside it are left out.
        config: options of the new study.
        fingerprint: fingerprint of its data.
    Raises:
        InputError: no such study, one on other data, or none of its configurations lies in the space.
    """
    name, colon, count = text.partition(":")
    if colon and not (count.isdecimal() and int(count)):
        raise InputError(f"warm start: '{text}': write STUDY or STUDY:{BEST}, for its best {BEST}")
    with closing_study(load_study(name, storage)) as study:
        record, trials = read_stored_spec(study), trials_of(study)
    if record["fingerprint"] != fingerprint:
        raise InputError(f"warm start: study '{name}' was on other data: what was best there need not be best here")
    valued = [(value, -trial.number, trial) for trial in trials if (value := value_of(trial)) is not None]
    best = [options_of(trial) for _, _, trial in sorted(valued, reverse=True)]
    inside = [options for options in best if _lies_in(space, options, config)]
    if not inside:
        raise InputError(f"warm start: none of the {len(best)} configurations of study '{name}' lies in {space.name}")
    return [Queued(options=options, origin=f"study {name}") for options in inside[: int(count or BEST)]]


def _lies_in(space: SearchSpace, options: Mapping[str, Any], config: Config) -> bool:
    return options.keys() == set(space.options) and space.from_options(config.replace(options)) is not None


def read_queue(path: Path, space: SearchSpace, config: Config) -> list[Queued]:
    """Configurations of a YAML file; what one leaves out is the default configuration's.

    The file has one key, with a mapping of options to values for each configuration:

        configurations:
          - {learning_rate: 0.005, n_layers: 2}
          - {dropout_probs: [0.1, 0.2]}

    Raises:
        InputError: no such file, a mistake in it, an option that the space does not vary, or a value outside it.
    """
    file = parse_yaml(read_text(path), str(path))
    entries = file.values.get("configurations")
    if list(file.values) != ["configurations"] or not isinstance(entries, list):
        raise InputError(f"{path}:1: expected one key, `configurations`, with a list of mappings")
    queue = []
    for index, entry in enumerate(entries):
        with file.at("configurations", index):
            queue.append(Queued(options=_checked(entry, space, config), origin=path.name))
    return queue


def _checked(entry: object, space: SearchSpace, config: Config) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise InputError(f"expected `{{option: value, ...}}`, not {entry!r}")
    for name in entry:
        if OPTIONS.canonical(name) not in space.options:
            raise InputError(f"'{name}' is not searched by {space.name}{did_you_mean(name, space.options)}")
    options = {OPTIONS.canonical(name): OPTIONS.check(name, value) for name, value in entry.items()}
    outside = space.why_outside(config.replace(options))
    if outside is not None:
        raise InputError(outside)
    return options
