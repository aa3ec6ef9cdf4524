"""Makes a prepared dataset of a raw log."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from experiments.cli.dataset_statistics import print_statistics, save_plot
from experiments.cli.exit_status import EXIT_OTHER_COUNTS
from experiments.cli.flags import given_options
from experiments.cli.output import open_console
from experiments.cli.recipes import Recipe, find_recipe
from experiments.reporting.messages import Messages
from narm.config import Config, DataConfig
from narm.data.cuts import used_item_ids
from narm.data.datasets import HeldApart, hold_apart, load_splits, source_files
from narm.data.prepared import CARD, Card, FileDigest, files_as_options, part_file, write_sessions
from narm.data.session_log import SessionLog
from narm.errors import InputError
from narm.machine.files import atomic_folder
from narm.text.names import without_endings

PLOT = "statistics.png"
STAGES = ("checksums of the files", "reading, filtering, splitting", "writing", "drawing", "fingerprint")

Advance = Callable[[], None]
"""Called when a stage is done."""


def run_preparation(given: argparse.Namespace) -> int:
    """Prepare a dataset, and say what it holds.

    Args:
        given: a command line, as `experiments.prepare` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: an unknown recipe, a wrong option, a log that cannot be used, or a folder that cannot be made.
    """
    recipe = None if given.recipe is None else find_recipe(given.recipe)
    if given.check and not (recipe and recipe.published):
        raise InputError("--check needs a --recipe: it compares counts with the published ones")
    options = {**(recipe.options if recipe else {}), **given_options(given)}
    config = Config.from_flat({**options, "dataset": given.log}).data
    console = open_console(given)
    with _progress(Messages(stderr=True, quiet=given.quiet, dispensable=True)) as advance:
        card, parts = prepare(Path(given.output), config, recipe, advance)
    _show(card, parts, Path(given.output), console)
    others = [f"{key} {card.counts[key]:,}, not {count:,}" for key, count in card.published.items()
              if card.counts[key] != count]  # fmt: skip
    if given.check and others:
        print(f"error: {given.output}: not the published counts: {'; '.join(others)}", file=sys.stderr)
        return EXIT_OTHER_COUNTS
    return 0


def prepare(
    output: Path, config: DataConfig, recipe: Recipe | None, advance: Advance
) -> tuple[Card, Mapping[str, SessionLog]]:
    """Make the folder of a prepared dataset, whole or not at all.

    Args:
        output: the folder, which is not there yet.
        config: what to read, and how to read, filter and split it.
        recipe: where these options come from.
        advance: called after each of `STAGES`.
    Returns:
        the dataset's card, and its sessions by part.
    Raises:
        InputError: the log cannot be used, or the folder not be made.
    """
    with atomic_folder(output) as folder:
        files = source_files(config)
        digests = {option: _digest(parts) for option, parts in files.items()}
        advance()
        apart = hold_apart(config)
        parts = _parts(apart)
        advance()
        for name, sessions in parts.items():
            write_sessions(sessions, folder / part_file(name))
        advance()
        save_plot(parts, output.name, folder / PLOT)
        advance()
        fingerprint = load_splits(DataConfig(**files_as_options(folder, parts), valid_share=0)).fingerprint
        advance()
        card = Card(
            name=without_endings(output),
            recipe=recipe.name if recipe else None,
            options=_changed(config),
            source=_name(files["dataset"], config),
            source_digest=digests.pop("dataset"),
            held_out_digests=digests,
            counts=_counts(apart, parts),
            published=recipe.published if recipe else {},
            notes=tuple(note for sessions in parts.values() for note in sessions.notes),
            files={part_file(name): FileDigest.of(folder / part_file(name)) for name in parts},
            fingerprint=fingerprint,
            versions={package: version(package) for package in ("narm-search", "numpy", "pyarrow")},
        )
        card.save(folder)
    return card, parts


def _digest(log: tuple[Path, ...]) -> FileDigest:
    try:
        return FileDigest.of(*log)
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; name a file of events") from None


def _name(log: tuple[Path, ...], config: DataConfig) -> str:
    """Name of the log's one file, or of the folder of its parts."""
    return log[0].name if len(log) == 1 else Path(config.dataset).resolve().name


def _parts(apart: HeldApart) -> dict[str, SessionLog]:
    given = {"train": apart.train, "valid": apart.valid, "test": apart.test}
    return {name: log for name, log in given.items() if log is not None}


def _counts(apart: HeldApart, parts: Mapping[str, SessionLog]) -> dict[str, int]:
    counts = {"events read": apart.n_events, "wrong rows": apart.n_wrong}
    for name, log in parts.items():
        counts[f"{name} sessions"] = len(log)
        counts[f"{name} events"] = log.sessions.n_events
        counts[f"{name} targets"] = log.sessions.n_events - len(log)
    counts["items"] = len(used_item_ids(apart.train))
    return counts


def _changed(config: DataConfig) -> dict[str, object]:
    """The options that are not at their defaults, with names of files instead of paths."""
    default = DataConfig().model_dump(mode="json")
    given = config.model_dump(mode="json", exclude={"dataset"})
    given.update({option: Path(given[option]).name for option in ("valid_file", "test_file") if given[option]})
    return {name: value for name, value in given.items() if value != default[name]}


def _show(card: Card, parts: Mapping[str, SessionLog], output: Path, console: Console) -> None:
    print_statistics(parts, console)
    for note in card.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    if card.published:
        console.print(_published_table(card))
    console.print(f"written: {output} ({CARD}, {', '.join(card.files)}, {PLOT})", markup=False, soft_wrap=True)


def _published_table(card: Card) -> Table:
    table = Table(box=SIMPLE_HEAD, title="counts beside the published ones, which are of the whole log")
    table.add_column("count")
    for heading in ("here", "published"):
        table.add_column(heading, justify="right")
    for key, count in card.published.items():
        table.add_row(key, f"{card.counts[key]:,}", f"{count:,}")
    return table


@contextmanager
def _progress(console: Console) -> Iterator[Advance]:
    """A bar over the stages, on a terminal; nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(STAGES[0], total=len(STAGES))
        following = iter((*STAGES[1:], "done"))
        yield lambda: progress.update(task, advance=1, description=next(following))
