"""Reports: what a worker sends to the driver while it works on a job.

A trial's job reports every epoch, and before the first what its model costs, where the search asks for that. A
finalist's reports every epoch too, so that it can be interrupted there, and at last its run; likewise its last
training, on what was held out too. Trials and finalists say within a long epoch how far they have come. The job that
makes the model to ship reports once. A job that fails says so itself: what reaches the driver is a type, not the text
of a traceback.

Q targets of the test split.
"""

from __future__ import annotations

import textwrap
import traceback
from dataclasses import dataclass

from experiments.tuning.worker.jobs import Finalist
from narm.footprint import Costs, Footprint
from narm.metrics import Ranks
from narm.pulse import EpochProgress
from narm.training import NonFiniteLoss
from narm.training_state import EpochResult

_LONGEST_REASON = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalistRun:
    """A finalist trained with one seed, and ranked on test.

    Attributes:
        finalist: what was trained.
        seed: seed of the training run.
        epochs: epochs trained.
        best_epoch: the epoch with the best validation, whose weights ranked the test targets.
        seconds: wall clock of all epochs.
        valid: validation metrics of the best epoch, by key.
        test: test metrics, by key.
        ranks: rank of each test target, [Q].
    """

    finalist: Finalist
    seed: int
    epochs: int
    best_epoch: int
    seconds: float
    valid: dict[str, float]
    test: dict[str, float]
    ranks: Ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitRun:
    """A run that was trained again on what was held out too; its checkpoint has the model.

    Attributes:
        seed: seed of the run.
        epochs: epochs trained.
    """

    seed: int
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BagResult:
    """The runs of a finalist as one model.

    Attributes:
        valid: validation metrics, by key.
        test: test metrics, by key.
        footprint: what it costs to use.
    """

    valid: dict[str, float]
    test: dict[str, float]
    footprint: Footprint


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitResult:
    """The model that was trained again on what was held out too: one run, or a bag.

    Attributes:
        test: test metrics, by key; empty where it has learned from test.
        footprint: what it costs to use.
    """

    test: dict[str, float]
    footprint: Footprint


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingResult:
    """What there is to ship.

    Attributes:
        single: what the finalist's best run costs to use.
        bag: its runs as one model; None: none was asked for.
        refit: what ships of these, trained again on more; None: nothing was.
    """

    single: Footprint
    bag: BagResult | None
    refit: RefitResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure:
    """A job that ended with an error.

    Attributes:
        reason: the error in one line.
        details: the traceback.
        worth_a_retry: whether a second attempt could end otherwise.
    """

    reason: str
    details: str
    worth_a_retry: bool

    @classmethod
    def of(cls, error: Exception) -> JobFailure:
        """Describe an error that has just been caught."""
        details = "".join(traceback.format_exception(error)).strip()
        reason = details.splitlines()[-1]
        if isinstance(error, OSError) and error.filename is not None:
            reason = f"{error.filename}: {error.strerror}"
        return cls(
            reason=_shortened(reason),
            details=details,
            worth_a_retry=not isinstance(error, NonFiniteLoss),  # the same seed diverges in the same place
        )

    @classmethod
    def from_text(cls, details: str, *, worth_a_retry: bool) -> JobFailure:
        """Describe an error of which there is a text only: its last line is the reason."""
        return cls(reason=_shortened(details.splitlines()[-1]), details=details, worth_a_retry=worth_a_retry)


def _shortened(reason: str) -> str:
    return textwrap.shorten(reason, width=_LONGEST_REASON, placeholder=" ...")


Report = Costs | EpochProgress | EpochResult | FinalistRun | RefitRun | ShippingResult | JobFailure
