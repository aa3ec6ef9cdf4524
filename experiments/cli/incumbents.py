"""The model that finalists have to beat, `--against`: from a file, the registry, or the folder of the study."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.tracking.registry import fetch_champion, registered_name
from experiments.tuning.engine.incumbent import Incumbent
from experiments.tuning.study.folder import INCUMBENT
from experiments.tuning.study.setting_rules import CHAMPION
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.worker.addresses import absolute_tracking_uri
from narm.data.sessions import Splits


@contextmanager
def find_incumbent(given: argparse.Namespace, spec: StudySpec, splits: Splits) -> Iterator[Incumbent | None]:
    """The model, judged on validation; its file is there within the block at least. None: none was named.

    A study that goes on has a copy, and takes another model only if the command line names one: the champion may be
    this very study's by now.

    Raises:
        InputError: there is no such model, or it is none for these data.
    """
    if spec.against is None:
        yield None
        return
    is_champion = spec.against == CHAMPION
    name = f"{registered_name(splits.name)}@{CHAMPION}" if is_champion else Path(spec.against).name
    kept = spec.folder / INCUMBENT
    with TemporaryDirectory(prefix="narm-") as scratch:
        if given.resume and given.against is None and kept.is_file():
            checkpoint = kept
        elif is_champion:
            uri = absolute_tracking_uri(spec.tracking_uri)
            checkpoint = fetch_champion(uri, splits.name, Path(scratch), output=spec.output)
        else:
            checkpoint = Path(spec.against)
        yield Incumbent.load(checkpoint, name, splits, spec.config.evaluation)
