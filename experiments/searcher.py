"""Ray Tune's view of the engine: a searcher, a scheduler and a callback, each a few lines.

Every leg of a trial is a trial of Ray's. What Ray's own OptunaSearch and schedulers would do instead, and why that
wastes trials, stands in `docs/decisions/0004-own-searcher.md`.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from experiments.engine import Engine, Idle
from experiments.schedulers.policy import Verdict
from narm.training import NonFiniteLoss


class EngineSearcher(Searcher):
    """Hands the engine's legs to Ray."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]  # Ray's words for "done"
        """The next leg; None: ask again later; or Ray's word for the end."""
        leg = self._engine.next_leg()
        if isinstance(leg, Idle):
            return None if leg is Idle.WAIT else str(Searcher.FINISHED)
        return asdict(leg)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing: the engine has settled it."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the study has it all already."""

    def restore_from_dir(self, checkpoint_dir: str) -> None:
        """Nothing, likewise."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Ray pickles its searcher to disk, and the address of the study may hold a password."""
        return {}


class EngineScheduler(FIFOScheduler):
    """Brings the engine every epoch, and Ray its verdict."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._engine = engine

    def on_trial_result(self, controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Whether the leg goes on."""
        verdict = self._engine.report(trial.config["number"], result["report"])
        return TrialScheduler.CONTINUE if verdict is Verdict.CONTINUE else TrialScheduler.STOP

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, as with the searcher."""
        return {}


_ANSI_COLOUR = re.compile(r"\x1b\[\d*m")
_HOPELESS = f"{NonFiniteLoss.__module__}.{NonFiniteLoss.__qualname__}"  # the same seed ends in the same place


class Failures(Callback):
    """Brings the engine the reasons of failures, which Ray tells only to callbacks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """A leg has failed."""
        details = _ANSI_COLOUR.sub("", Path(trial.error_file).read_text()).strip()
        last = details.splitlines()[-1]
        reason = textwrap.shorten(last, width=300, placeholder=" ...")
        self._engine.failed(trial.config["number"], reason, details, worth_a_retry=not last.startswith(_HOPELESS))

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, as with the searcher."""
        return {}
