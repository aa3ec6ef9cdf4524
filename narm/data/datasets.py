"""From the data options to splits: named datasets, prepared ones, or files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from narm.config import DataConfig
from narm.data.cuts import by_period, by_share, most_recent, used_item_ids, without_unknown
from narm.data.events import Events, read_events
from narm.data.filters import by_length, item_support, k_core
from narm.data.gaps import sessions_by_gap
from narm.data.movielens import ml_100k
from narm.data.odd_logs import notes_on_log
from narm.data.overlap import require_apart
from narm.data.prepared import files_as_options, is_prepared, read_card
from narm.data.readers.parts import files_of
from narm.data.session_log import SessionLog, group_events
from narm.data.sessions import Splits
from narm.data.splits import Partition, given, leave_one_out
from narm.data.synthetic import synthetic_events
from narm.errors import InputError
from narm.text.names import without_endings
from narm.text.suggestion import did_you_mean

NAMED: dict[str, Callable[[DataConfig], Events]] = {
    "ml-100k": lambda config: read_events(ml_100k(), config),
    "synthetic": lambda config: synthetic_events(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldApart:
    """Sessions to learn from and sessions to judge by, before anything is chosen of either for validation.

    Attributes:
        train: to learn from, and to choose by when `valid` is None.
        valid: to choose by, where they are given.
        test: to judge by; of items that all of the log before them had.
        n_events: events in the files, wrong rows left aside.
        n_wrong: rows of the files that were left out because they are wrong.
    """

    train: SessionLog
    valid: SessionLog | None
    test: SessionLog
    n_events: int
    n_wrong: int

    def partition(self, config: DataConfig) -> Partition:
        """The three splits.

        Raises:
            InputError: one would be empty.
        """
        return given(
            self.train,
            self.test,
            self.valid,
            valid_share=config.valid_share,
            keep_unknown=config.unknown_items == "keep",
        )


@dataclass(frozen=True, slots=True)
class _Log:
    """Sessions in time order, the split that suits them, and what they were made of."""

    sessions: SessionLog
    split: str
    n_events: int
    n_wrong: int


def load_splits(config: DataConfig) -> Splits:
    """Read, filter and split the data that the options name.

    Order of work: sessions cut at gaps, item support, k-core, all over the events of `dataset`; sessions in time
    order, session lengths, split. A test or validation file is not filtered by its items: these are those of train
    anyway.

    Raises:
        InputError: the data are not there or wrong, or nothing is left of them.
    """
    return _partition(config).as_splits(name=dataset_name(config.dataset), max_length=config.max_item_list_length)


def dataset_name(dataset: str) -> str:
    """What to call it: the name of a named dataset, or the file's (or folder's) without its endings."""
    return dataset if dataset in NAMED else without_endings(Path(dataset))


def source_files(config: DataConfig) -> dict[str, tuple[Path, ...]]:
    """The files that the options name: `dataset`, and `valid_file` and `test_file` where there are some.

    A log may be several files, its parts.

    Raises:
        InputError: one is not there, or the options do not go together.
    """
    if config.benchmark_filename is not None:
        config = _with_files(config)
    given = {"dataset": config.dataset, "valid_file": config.valid_file, "test_file": config.test_file}
    return {option: files_of(Path(name)) for option, name in given.items() if name is not None}


def hold_apart(config: DataConfig) -> HeldApart:
    """Read, filter and split off test, by time or as files give it.

    Raises:
        InputError: the split is leave-one-out, which holds single events apart; or as `load_splits`.
    """
    config = _with_files(config)
    log = _read_log(config)
    if log.split == "leave_one_out":
        raise InputError("split: leave_one_out holds events apart, not sessions; `split: temporal` does that")
    return _held_apart(log, config)


def _partition(config: DataConfig) -> Partition:
    config = _with_files(config)
    log = _read_log(config)
    if log.split == "leave_one_out":
        return leave_one_out(log.sessions)
    return _held_apart(log, config).partition(config)


def _held_apart(log: _Log, config: DataConfig) -> HeldApart:
    if config.test_file is not None:
        return _given_files(log, config.test_file, config)
    if config.test_period is not None:
        train, test = by_period(log.sessions, config.test_period)
    else:
        train, test = by_share(log.sessions, config.test_share, "test")
    test = without_unknown(test, used_item_ids(train))
    train = most_recent(train, config.recent_share)
    return HeldApart(train=train, valid=None, test=test, n_events=log.n_events, n_wrong=log.n_wrong)


def _given_files(log: _Log, test_file: str, config: DataConfig) -> HeldApart:
    test = _held_out(test_file, config)
    valid = _held_out(config.valid_file, config) if config.valid_file is not None else None
    logs = [part for part in (log, test, valid) if part is not None]
    by_user = config.session_gap is not None
    notes = require_apart(log.sessions, test.sessions, "test", ids_are_users=by_user)
    if valid is not None:
        notes += require_apart(log.sessions, valid.sessions, "validation", ids_are_users=by_user)
    return HeldApart(
        train=most_recent(log.sessions, config.recent_share),
        valid=valid.sessions if valid is not None else None,
        test=test.sessions.with_notes(*notes),
        n_events=sum(part.n_events for part in logs),
        n_wrong=sum(part.n_wrong for part in logs),
    )


def _with_files(config: DataConfig) -> DataConfig:
    """The options with the files of a dataset's folder in place of the folder."""
    folder = Path(config.dataset)
    files: dict[str, object] = {}
    if config.benchmark_filename is not None:
        files = _benchmark_files(folder, config.benchmark_filename)
    elif config.dataset not in NAMED and is_prepared(folder):
        card = read_card(folder)
        files = files_as_options(folder, [Path(name).stem for name in card.files])
    if files and (config.test_file is not None or config.valid_file is not None):
        raise InputError(f"dataset: {folder} has test sessions of its own; leave out test_file and valid_file")
    config = config.model_copy(update=files)
    _check_options(config)
    return config


def _benchmark_files(folder: Path, parts: tuple[str, ...]) -> dict[str, object]:
    if not 2 <= len(parts) <= 3:
        raise InputError(f"benchmark_filename: {list(parts)}: name train, valid and test, or train and test")
    if not folder.is_dir():
        raise InputError(f"dataset: with benchmark_filename it is a folder, and {folder} is none")
    name = folder.resolve().name
    train, *valid, test = (str(folder / f"{name}.{part}.inter") for part in parts)
    return {"dataset": train, "valid_file": valid[0] if valid else None, "test_file": test}


def _check_options(config: DataConfig) -> None:
    if config.valid_file is not None and config.test_file is None:
        raise InputError("valid_file: needs test_file too")
    if config.test_file is not None and config.split == "leave_one_out":
        raise InputError("split: leave_one_out makes test targets of its own; leave out test_file, or the split")
    if config.test_period is not None:
        if config.test_file is not None:
            raise InputError("test_period: the test sessions are given; leave it out")
        if config.split == "leave_one_out":
            raise InputError("test_period: leave_one_out makes test targets of its own; leave one of the two out")


def _read_log(config: DataConfig) -> _Log:
    """The sessions of `dataset` in time order, and the split that suits them.

    The events, 16 bytes each, are freed on return.
    """
    events = _load_events(config)
    n_events, n_wrong = len(events), events.n_wrong
    if config.session_gap is not None:
        events = sessions_by_gap(events, config.session_gap)
    events, rare = item_support(events, config.min_item_support, config.min_session_length)
    events, outside = k_core(events, config.user_inter_num_interval, config.item_inter_num_interval)
    split = config.split if config.split != "auto" else _usual_split(events, config)
    log = group_events(events, recbole_ties=events.atomic and split == "leave_one_out")
    log = log.with_notes(*notes_on_log(events, log, config.dataset), *_split_taken(split, config), *rare, *outside)
    return _Log(_of_usable_length(log, config.dataset, config), split, n_events, n_wrong)


def _usual_split(events: Events, config: DataConfig) -> str:
    is_temporal = config.test_file is not None or config.test_period is not None
    return "leave_one_out" if events.of_users and not is_temporal else "temporal"


def _split_taken(split: str, config: DataConfig) -> tuple[str, ...]:
    """A note on a split that nobody has asked for."""
    if (
        config.dataset in NAMED
        or config.split != "auto"
        or config.test_file is not None
        or config.test_period is not None
    ):
        return ()
    why = "as for RecBole's files of users" if split == "leave_one_out" else f"the last {config.test_share:g} are test"
    return (f"split taken: {split}, {why}",)


def _held_out(file: str, config: DataConfig) -> _Log:
    events = read_events(file, config)
    n_events, n_wrong = len(events), events.n_wrong
    if config.session_gap is not None:
        events = sessions_by_gap(events, config.session_gap)
    log = group_events(events)
    log = log.with_notes(*notes_on_log(events, log, file))
    return _Log(_of_usable_length(log, file, config), "temporal", n_events, n_wrong)


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
