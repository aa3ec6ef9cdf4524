"""Seconds per training step, and the epoch they project to; the same arithmetic for RecBole and for us."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTiming:
    """What a few training steps, or a whole epoch of them, took.

    A figure per target travels better than one per step: batches may differ in size, targets do not.
    """

    dataset: str
    """Name of the dataset, or the path it was read from."""
    step_seconds: tuple[float, ...]
    """Wall seconds of each step, from asking for its batch to the optimizer's update."""
    step_targets: tuple[int, ...]
    """Targets of each step; the last batch of an epoch is usually smaller."""
    n_targets: int
    """Targets of a whole epoch of the data that were loaded."""
    batch_size: int
    """Targets a full batch holds."""
    n_items: int
    """Items including the padding item 0."""
    n_threads: int
    """Threads torch computed with."""
    peak_rss_mib: float
    """Peak resident memory of the process, MiB."""

    @property
    def seconds_per_step(self) -> float:
        """Median seconds of a full batch; the first step, which allocates and warms up, is left out."""
        full = [
            seconds
            for seconds, targets in zip(self.step_seconds, self.step_targets, strict=True)
            if targets == self.batch_size
        ]
        return median(full[1:] or full or self.step_seconds)

    @property
    def steps_per_epoch(self) -> int:
        """Batches an epoch is cut into, the last one possibly smaller."""
        return -(-self.n_targets // self.batch_size)

    @property
    def epoch_seconds(self) -> float | None:
        """Measured seconds of the whole epoch; None when only a part of it ran."""
        return sum(self.step_seconds) if sum(self.step_targets) == self.n_targets else None

    def projected_epoch_seconds(self, n_targets: int | None = None) -> float:
        """Seconds an epoch of `n_targets` targets takes at the median pace; by default of the loaded data."""
        targets = self.n_targets if n_targets is None else n_targets
        return self.seconds_per_step * targets / self.batch_size
