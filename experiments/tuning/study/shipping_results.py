"""What is known of the model to ship, kept in the folder of the finalists: it is made and measured once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.finalist_training import finalist_config, is_of_run
from experiments.tuning.worker.jobs import Finalist, ShippingJob
from experiments.tuning.worker.reports import ShippingResult
from experiments.tuning.worker.shipping import bag_checkpoint, shipped_checkpoint
from narm.config import Config
from narm.data.sessions import Refit
from narm.machine.files import write_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What a file holds: of which runs, options and data a result is."""

    best: int
    bag: tuple[int, ...]
    refit: Refit
    best_epochs: Mapping[int, int]
    config: Mapping[str, Any]
    fingerprint: str
    result: ShippingResult


@dataclass(frozen=True, slots=True)
class ShippingResults:
    """The results in a folder.

    Args:
        folder: where they are.
        config: options of the study.
        fingerprint: that of its data.
        checkpoints: those of the finalists, bags among them.
    """

    folder: Path
    config: Config
    fingerprint: str
    checkpoints: CheckpointStore

    def write(self, job: ShippingJob, result: ShippingResult) -> None:
        """Keep a result, atomically."""
        record = _Record(
            best=job.best,
            bag=job.bag,
            refit=job.refit,
            best_epochs=job.best_epochs,
            config=finalist_config(job.finalist, job.best, self.config).flat(),
            fingerprint=self.fingerprint,
            result=result,
        )
        try:
            write_text(self._path(job.finalist), TypeAdapter(_Record).dump_json(record, indent=2).decode() + "\n")
        except OSError as error:  # a full disk must not cost what is known
            logger.warning("%s: is not kept: %s", self._path(job.finalist), error.strerror)

    def read(self, job: ShippingJob) -> ShippingResult | None:
        """The result of a job; None if there is none, it is of other runs, options or data, or a model is gone."""
        try:
            record = TypeAdapter(_Record).validate_json(self._path(job.finalist).read_bytes())
        except (OSError, ValidationError):  # it is made again in less time than a person takes to read a warning
            return None
        config = finalist_config(job.finalist, job.best, self.config)
        if _runs(record) != _runs(job) or not is_of_run(asdict(record), config, self.fingerprint):
            return None
        made = {bag_checkpoint(job.finalist)} if job.bag else set()
        made |= set() if job.refit == "none" else {shipped_checkpoint(job)}
        return record.result if all(map(self.checkpoints.exists, made)) else None

    def forget(self, finalist: Finalist) -> None:
        """Remove a result whose bag is about to be made anew: of a killed search it would be that of another bag."""
        self._path(finalist).unlink(missing_ok=True)

    def _path(self, finalist: Finalist) -> Path:
        return self.folder / f"{finalist.number:04d}-shipping.json"


def _runs(of: _Record | ShippingJob) -> tuple[object, ...]:
    """Which runs, with which weights, and what they were trained on again."""
    return of.best, of.bag, of.refit, dict(of.best_epochs)
