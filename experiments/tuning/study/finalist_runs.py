"""Results of finalists' runs, kept in the study's folder: a run that is there is never trained again.

A run leaves two files: its checkpoint, written after every epoch, from which a killed run goes on, and which holds the
model; and its result, an npz of `ranks` [Q] and of `record`, a JSON text, written once the test targets are ranked.

Q targets of the test split.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.tuning.worker.finalist_training import finalist_config, is_of_run
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.config import Config
from narm.errors import InputError
from narm.machine.files import atomic_file

logger = logging.getLogger(__name__)

FORMAT = "narm-finalist-1"


@dataclass(frozen=True, slots=True)
class FinalistRuns:
    """The results in a folder.

    Args:
        folder: where they are.
        config: options of the study.
        fingerprint: that of its data.
    """

    folder: Path
    config: Config
    fingerprint: str

    def path(self, finalist: Finalist, seed: int) -> Path:
        """File of a result."""
        return self.folder / f"{finalist.number:04d}-{seed}.npz"

    def write(self, run: FinalistRun) -> None:
        """Keep the result of a run, atomically, with all that it depends on."""
        record = {
            "format": FORMAT,
            "number": run.finalist.number,
            "config": finalist_config(run.finalist, run.seed, self.config).flat(),
            "fingerprint": self.fingerprint,
            "epochs": run.epochs,
            "best_epoch": run.best_epoch,
            "seconds": run.seconds,
            "valid": run.valid,
            "test": run.test,
        }
        with atomic_file(self.path(run.finalist, run.seed)) as file:
            np.savez_compressed(file, ranks=run.ranks, record=np.array(json.dumps(record)))

    def read(self, finalist: Finalist, seed: int) -> FinalistRun | None:
        """The kept result of a run that is over; None where there is none, or it is one of other data or options.

        It is over if early stopping has ended it, or if it may have no more epochs.
        """
        found = self._find(finalist, seed)
        if found is None:
            return None
        run, bound = found
        allowed = finalist_config(finalist, seed, self.config).training.epochs
        is_over = run.epochs == allowed or run.epochs < min(allowed, bound)
        return run if is_over else None

    def find(self, finalist: Finalist, seed: int) -> FinalistRun | None:
        """As `read`, but however long it was trained: for those who report on what was done."""
        found = self._find(finalist, seed)
        return None if found is None else found[0]

    def _find(self, finalist: Finalist, seed: int) -> tuple[FinalistRun, int] | None:
        """The run, and the epochs that it was allowed."""
        path = self.path(finalist, seed)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
                record, ranks = json.loads(str(content["record"])), content["ranks"]
            if record["format"] != FORMAT:
                raise ValueError(f"its format is {record['format']}, not {FORMAT}")
        except FileNotFoundError:
            return None
        except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
            logger.warning("%s: not the result of a finalist (%s): it is trained anew", path, error)
            return None
        if not is_of_run(record, finalist_config(finalist, seed, self.config), self.fingerprint):
            return None
        run = FinalistRun(
            finalist=finalist,
            seed=seed,
            epochs=record["epochs"],
            best_epoch=record["best_epoch"],
            seconds=record["seconds"],
            valid=record["valid"],
            test=record["test"],
            ranks=ranks,
        )
        return run, record["config"]["epochs"]

    def require(self, finalist: Finalist, seeds: Sequence[int]) -> list[FinalistRun]:
        """The kept results of a finalist, one a seed, however long they were trained.

        Raises:
            InputError: one of them is not there any more, or is of other data or options.
        """
        runs = {seed: self.find(finalist, seed) for seed in seeds}
        for seed, run in runs.items():
            if run is None:
                raise InputError(f"{self.folder}: the ranks of trial {finalist.number}, seed {seed}, are not there")
        return [run for run in runs.values() if run is not None]
