"""What ends a search before all its trials are done."""

from __future__ import annotations

from dataclasses import dataclass

EPOCH_BUDGET = "epoch budget"
PLATEAU = "no new best"
TOO_MANY_FAILED = "too many trials failed"
TIME_BUDGET = "time budget"
FAILED = "the search failed"
INTERRUPTED = "interrupted"  # from outside: Ctrl-C, SIGTERM, SIGHUP


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a search may spend, and how much may go wrong.

    Attributes:
        epochs: epochs of all trials together; None: no limit.
        plateau: epochs of all trials together without a new best; None: no limit.
        max_retries: retries of a trial that fails.
        max_failed: trials that may fail before the search gives up; None: any number.
    """

    epochs: int | None = None
    plateau: int | None = None
    max_retries: int = 0
    max_failed: int | None = None


@dataclass(slots=True)
class Tally:
    """What a search has spent, and what it has to show for it."""

    epochs: int = 0
    best: float = float("-inf")
    epochs_at_best: int = 0
    failed: int = 0

    def count(self, epochs: int, value: float) -> None:
        """Add epochs of a trial whose best value is now `value`."""
        self.epochs += epochs
        if value > self.best:
            self.best, self.epochs_at_best = value, self.epochs

    def reached(self, limits: Limits) -> str | None:
        """Description of the limit that is reached; None: none is."""
        if limits.max_failed is not None and self.failed > limits.max_failed:
            return f"{TOO_MANY_FAILED} ({self.failed})"
        if limits.epochs is not None and self.epochs >= limits.epochs:
            return f"{EPOCH_BUDGET} ({limits.epochs})"
        if limits.plateau is not None and self.epochs - self.epochs_at_best >= limits.plateau:
            return f"{PLATEAU} in {limits.plateau} epochs"
        return None
