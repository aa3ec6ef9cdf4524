"""`python -m experiments.recommend CHECKPOINT`: what comes next in sessions, in raw item ids."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from experiments.cli import command_line
from narm.errors import InputError
from narm.machine.device import DEVICES
from narm.text.text_file import located, read_text

if TYPE_CHECKING:
    from narm.recommending import Recommendation, Recommender

EPILOG = """\
Sessions come from --session, from --input, or from standard input: one a line, oldest item first, ids separated by
commas or spaces, or as a JSON list: ["red shoes", 17]. Answers come in the same order, one a session:

  text  the recommended ids, best first, separated by spaces
  json  {"items": [...], "scores": [...], "unknown": [...], "reason": null}
  csv   a row an item: session (from 1), rank, item, score

Unknown items are ignored, and reported: in the JSON, else on standard error. A session without a known item gets no
items, and the reason. sr, item_knn, s_knn, v_sknn and stan recommend what occurred in train with or after what the
session has: fewer than K items if there are no more, and for none the reason. Of equal scores the item of the lower
index in the checkpoint comes first.

examples:
  python -m experiments.recommend narm.pt --session 214,55,60 -k 10
  python -m experiments.recommend narm.pt --format json < sessions.txt > recommended.jsonl

exit status: 0, also when nothing is recommended; 2 wrong usage or input; 130 interrupted
"""

Session = list[object]

_AT_ONCE = 4096  # sessions read before their answers are written


def main(arguments: Sequence[str] | None = None) -> int:
    """Recommend.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, checkpoint or sessions.
    """
    given = build_parser().parse_args(arguments)
    if given.k < 1:
        raise InputError(f"-k: {given.k}: input should be at least 1")
    if given.session and given.input:
        raise InputError("--session and --input: give one of them")
    from narm.machine.threads import set_threads, usable_cores
    from narm.recommending import Recommender

    set_threads(usable_cores() if given.threads is None else given.threads)
    recommender = Recommender.load(Path(given.checkpoint), device=given.device)
    source, lines = _lines(given.session, given.input)
    write = _WRITERS[given.format](sys.stdout)
    answers = _answers(recommender, _read(source, lines), given.k, given.exclude_seen)
    number = 0
    try:
        for number, recommendation in enumerate(answers, start=1):
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
    if not isinstance(ids, list) or not all(isinstance(raw, (str, int)) and not isinstance(raw, bool) for raw in ids):
        raise InputError('a session in JSON is a list of texts and integers, as in ["red shoes", 17]')
    return ids


def _answers(
    recommender: Recommender, sessions: Iterator[Session], k: int, exclude_seen: bool
) -> Iterator[Recommendation]:
    while batch := list(islice(sessions, _AT_ONCE)):
        yield from recommender.recommend(batch, k, exclude_seen=exclude_seen)


def _report(recommendation: Recommendation, where: str) -> None:
    """Say on standard error what was ignored, and why there is no answer."""
    if recommendation.unknown:
        print(f"note: {where}: unknown items: {', '.join(map(str, recommendation.unknown))}", file=sys.stderr)
    if recommendation.reason:
        print(f"note: {where}: nothing recommended: {recommendation.reason}", file=sys.stderr)


Write = Callable[[int, "Recommendation"], object]


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


def build_parser() -> command_line.Parser:
    """Every flag."""
    parser = command_line.Parser(
        prog="python -m experiments.recommend", description="Recommend the next items of sessions.", epilog=EPILOG
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a model that experiments.train or a search wrote")
    parser.add_argument("--session", action="append", metavar="IDS", help="a session; may be given several times")
    parser.add_argument("--input", metavar="FILE", help="a file of sessions, one a line (default: standard input)")
    parser.add_argument("-k", type=int, default=20, metavar="K", help="items for each session (default: 20)")
    parser.add_argument("--format", choices=_WRITERS, default="text", help="of the answers (default: text)")
    parser.add_argument("--exclude-seen", action="store_true", help="leave out the items of the session")
    parser.add_argument("--device", default="cpu", metavar="|".join(DEVICES), help="where to compute (default: cpu)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: the cores)")
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
