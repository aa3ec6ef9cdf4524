"""How large a search is when nothing is said: by preset."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from narm.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Settings of a search; the config file and the command line win over them.

    Attributes:
        purpose: one line for the help.
        dataset: its name.
        space: its name.
        trials: how many at most.
        epochs: how many a trial trains at most.
        time_budget: seconds; None: no limit.
        grace_epochs: epochs that the scheduler gives every trial; None: as it sees fit.
        finalists: how many of the best are trained again at the end.
        finalist_seeds: how often each finalist is trained at most.
        finalist_runs: runs of all finalists together, at most; None: as many as these two allow. On the command line or
            in a study that goes on, another number of finalists or seeds takes its place.
        finalist_epochs: how long at most, but no shorter than a trial; None: until early stopping ends it.
    """

    purpose: str
    dataset: str = "ml-100k"
    space: str = "recbole"
    trials: int
    epochs: int
    time_budget: float | None = None
    grace_epochs: int | None = None
    finalists: int
    finalist_seeds: int
    finalist_epochs: int | None = None
    finalist_runs: int | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Values of fields of the study's spec, by name."""
        others = {"purpose", "dataset", "space", "epochs"}  # names and options, of which the spec is built
        return {name: value for name, value in asdict(self).items() if name not in others}


PRESETS: dict[str, Preset] = {
    "smoke": Preset(
        purpose="does everything work? in seconds, offline",
        dataset="synthetic",
        space="smoke",
        trials=4,
        epochs=3,
        time_budget=10 * 60,  # a crowded CI machine is slow, not broken
        finalists=1,
        finalist_seeds=2,
        finalist_epochs=1,  # no longer than a trial: early stopping would take minutes
    ),
    "quick": Preset(
        purpose="a first winner on two cores, in minutes",
        trials=30,  # RecBole's whole grid: an epoch for each, more for the best of them
        epochs=25,
        time_budget=8 * 60,  # the promise of minutes holds on a slow machine too
        finalists=4,  # as many as asha lets survive; see docs/decisions/0013
        finalist_seeds=4,
        finalist_runs=10,  # the default configuration is a fifth one; see docs/decisions/0023
    ),
    "full": Preset(
        purpose="the wide space, for hours",
        space="narm",
        trials=100,
        epochs=100,
        grace_epochs=4,  # steps differ 30 times in number and 100 in size: one epoch would favour the quick starters
        finalists=6,
        finalist_seeds=8,
        finalist_runs=20,
    ),
}
DEFAULT_PRESET = "quick"


def find_preset(name: str) -> Preset:
    """A preset by its name.

    Raises:
        InputError: there is no such preset.
    """
    if name not in PRESETS:
        raise InputError(f"preset: there is no '{name}'; known: {', '.join(PRESETS)}")
    return PRESETS[name]
