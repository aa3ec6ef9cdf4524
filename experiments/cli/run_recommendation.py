"""Recommends what comes next in sessions, and writes it as text, JSON or CSV."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TextIO

from narm.data.readers.columns import USUAL_NAMES, plain_name
from narm.errors import InputError
from narm.machine.capacity import usable_cores
from narm.machine.threads import set_threads
from narm.recommending import Recommendation, Recommender
from narm.text.text_file import located, read_text

Session = list[object]

_AT_ONCE = 4096  # sessions read before their answers are written


def run_recommendation(given: argparse.Namespace) -> int:
    """Recommend.

    Args:
        given: a command line, as `experiments.recommend` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, checkpoint or sessions.
    """
    if given.k < 1:
        raise InputError(f"-k: {given.k}: input should be at least 1")
    if given.session and given.input:
        raise InputError("--session and --input: give one of them")
    set_threads(usable_cores() if given.threads is None else given.threads)
    recommender = Recommender.load(Path(given.checkpoint), device=given.device)
    source, lines = _lines(given.session, given.input)
    write = _WRITERS[given.format](sys.stdout)
    answers = _answers(recommender, _read(source, lines), given.k, given.exclude_seen)
    number = 0
    try:
        for number, recommendation in enumerate(answers, start=1):
            if number == 1 and not given.session:
                _require_no_header(recommendation, source)
            if given.format != "json":
                _report(recommendation, f"{source}:{number}")
            write(number, recommendation)
        if number == 0:
            print(f"note: {source}: no session in it; write one a line, as in 17,4", file=sys.stderr)
        sys.stdout.flush()
    except FloatingPointError as error:
        raise InputError(f"{given.checkpoint}: {error}") from None
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _lines(sessions: list[str] | None, file: str | None) -> tuple[str, Iterable[str]]:
    """What to call the source of the sessions, and its lines."""
    if sessions:
        return "--session", sessions
    if file is None or file == "-":
        return "<stdin>", sys.stdin
    return file, io.StringIO(read_text(Path(file)))


def _read(source: str, lines: Iterable[str]) -> Iterator[Session]:
    number = 0
    try:
        for number, line in enumerate(lines, start=1):
            with located(source, number):
                yield parse_session(line)
    except UnicodeDecodeError:
        raise InputError(f"{source}:{number + 1}: not text in UTF-8") from None


def parse_session(line: str) -> Session:
    """The ids on a line: a JSON list, or separated by commas or spaces; maybe none.

    Raises:
        InputError: JSON that is no list of texts and integers.
    """
    if not line.lstrip().startswith(("[", "{")):
        return [*line.replace(",", " ").split()]
    try:
        ids = json.loads(line)
    except ValueError as error:
        raise InputError(f"not JSON: {error}; write a list of ids, as in [17, 4]") from None
    except RecursionError:
        raise InputError("JSON nested too deeply; write a list of ids, as in [17, 4]") from None
    if not isinstance(ids, list) or not all(map(_is_id, ids)):
        raise InputError('a session in JSON is a list of texts and integers, as in ["red shoes", 17]')
    return ids


def _is_id(raw: object) -> bool:
    """Text, or a whole number: JSON of a column that had gaps has 17.0."""
    if isinstance(raw, float):
        return raw.is_integer()
    return isinstance(raw, (str, int)) and not isinstance(raw, bool)


def _answers(
    recommender: Recommender, sessions: Iterator[Session], k: int, exclude_seen: bool
) -> Iterator[Recommendation]:
    while batch := list(islice(sessions, _AT_ONCE)):
        yield from recommender.recommend(batch, k, exclude_seen=exclude_seen)


def _require_no_header(first: Recommendation, source: str) -> None:
    """Refuse a log of events, of which sessions and times would be taken for items.

    Raises:
        InputError: line 1 has names of columns and no item that is known.
    """
    names = [raw for raw in first.unknown if any(plain_name(str(raw)) in usual for usual in USUAL_NAMES.values())]
    if names and first.reason is not None:
        raise InputError(
            f"{source}:1: '{names[0]}' is the name of a column, not an item: "
            "a line is a session, its item ids alone, as in 17,4"
        )


def _report(recommendation: Recommendation, where: str) -> None:
    """Say on standard error what was ignored, and why there is no answer."""
    if recommendation.unknown:
        print(f"note: {where}: unknown items: {', '.join(map(str, recommendation.unknown))}", file=sys.stderr)
    if recommendation.reason:
        print(f"note: {where}: nothing recommended: {recommendation.reason}", file=sys.stderr)


Write = Callable[[int, Recommendation], object]
"""Writes the answer to a session, which has a number from 1."""


def _as_text(out: TextIO) -> Write:
    return lambda number, recommendation: print(*recommendation.items, file=out)


def _as_json(out: TextIO) -> Write:
    return lambda number, recommendation: print(json.dumps(asdict(recommendation), allow_nan=False), file=out)


def _as_csv(out: TextIO) -> Write:
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["session", "rank", "item", "score"])

    def write(number: int, recommendation: Recommendation) -> None:
        ranked = zip(recommendation.items, recommendation.scores, strict=True)
        table.writerows([number, rank, item, score] for rank, (item, score) in enumerate(ranked, start=1))

    return write


_WRITERS: dict[str, Callable[[TextIO], Write]] = {"text": _as_text, "json": _as_json, "csv": _as_csv}
