"""From the data options to splits: named datasets, or files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from narm.config import DataConfig, did_you_mean
from narm.data.events import Events, read_events
from narm.data.filters import by_length, k_core
from narm.data.movielens import ml_100k
from narm.data.session_log import SessionLog, group_events
from narm.data.sessions import Splits
from narm.data.splits import Partition, given, leave_one_out, temporal
from narm.data.synthetic import synthetic_events
from narm.errors import InputError

NAMED: dict[str, Callable[[DataConfig], Events]] = {
    "ml-100k": lambda config: read_events(ml_100k(), config),
    "synthetic": lambda config: synthetic_events(),
}


def load_splits(config: DataConfig) -> Splits:
    """Read, filter and split the data that the options name.

    Order of work: k-core over the events of `dataset`, sessions in time order, session lengths, split.
    A test or validation file is not k-cored: its items are those of train anyway.

    Raises:
        InputError: the data are not there or wrong, or nothing is left of them.
    """
    return _partition(config).as_splits(name=dataset_name(config.dataset), max_length=config.max_item_list_length)


def dataset_name(dataset: str) -> str:
    """What to call it: the name of a named dataset, or the file's (or folder's) without its endings."""
    return dataset if dataset in NAMED else Path(dataset).resolve().name.partition(".")[0]


def _partition(config: DataConfig) -> Partition:
    _check_files(config)
    log, split = _ordered(config)
    log = _of_usable_length(log, config.dataset, config)
    if config.test_file is not None:
        valid = _held_out(config.valid_file, config) if config.valid_file is not None else None
        return given(log, _held_out(config.test_file, config), valid, valid_share=config.valid_share)
    if split == "leave_one_out":
        return leave_one_out(log)
    return temporal(log, valid_share=config.valid_share, test_share=config.test_share)


def _check_files(config: DataConfig) -> None:
    if config.valid_file is not None and config.test_file is None:
        raise InputError("valid_file: needs test_file too")
    if config.test_file is not None and config.split == "leave_one_out":
        raise InputError("split: leave_one_out makes test targets of its own; leave out test_file, or the split")


def _ordered(config: DataConfig) -> tuple[SessionLog, str]:
    """The sessions in time order, and the split that suits them.

    The events, 16 bytes each, are freed on return.
    """
    events, notes = k_core(_load_events(config), config.user_inter_num_interval, config.item_inter_num_interval)
    split = config.split if config.split != "auto" else _usual_split(events, config)
    log = group_events(events, recbole_ties=events.atomic and split == "leave_one_out")
    return log.with_notes(*notes), split


def _usual_split(events: Events, config: DataConfig) -> str:
    return "leave_one_out" if events.of_users and config.test_file is None else "temporal"


def _held_out(file: str, config: DataConfig) -> SessionLog:
    return _of_usable_length(group_events(read_events(file, config)), file, config)


def _of_usable_length(log: SessionLog, source: str, config: DataConfig) -> SessionLog:
    return by_length(log, config.min_session_length, config.max_session_length, name=dataset_name(source))


def _load_events(config: DataConfig) -> Events:
    if config.dataset in NAMED:
        return NAMED[config.dataset](config)
    path = Path(config.dataset)
    if not path.exists() and not path.suffix and path.name == config.dataset:
        near = did_you_mean(config.dataset, NAMED)
        raise InputError(f"dataset: '{config.dataset}' is no file and no named dataset{near}")
    return read_events(path, config)
