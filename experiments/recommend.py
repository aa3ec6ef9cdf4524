"""`python -m experiments.recommend CHECKPOINT`: what comes next in sessions, in raw item ids."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.parser import Parser
from experiments.cli.running import run_command
from narm.machine.device import DEVICES

FORMATS = ("text", "json", "csv")

EPILOG = """\
Sessions come from --session, from --input, or from standard input: one a line, oldest item first, ids separated by
commas or spaces, or as a JSON list: ["red shoes", 17]. Answers come in the same order, one a session:

  text  the recommended ids, best first, separated by spaces
  json  {"items": [...], "scores": [...], "unknown": [...], "reason": null}
  csv   a row an item: session (from 1), rank, item, score

Unknown items are ignored, and reported: in the JSON, else on standard error. A session without a known item gets no
items, and the reason. sr, item_knn, s_knn, v_sknn, stan and vstan recommend what occurred in train with or after what
the session has: fewer than K items if there are no more, and for none the reason. Of equal scores the item of the
lower index in the checkpoint comes first.

examples:
  python -m experiments.recommend narm.pt --session 214,55,60 -k 10
  python -m experiments.recommend narm.pt --format json < sessions.txt > recommended.jsonl

exit status: 0, also when nothing is recommended; 2 wrong usage or input; 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Recommend.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, checkpoint or sessions.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_recommendation import run_recommendation

    return run_recommendation(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.recommend", description="Recommend the next items of sessions.", epilog=EPILOG
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a model that experiments.train or a search wrote")
    parser.add_argument("--session", action="append", metavar="IDS", help="a session; may be given several times")
    parser.add_argument("--input", metavar="FILE", help="a file of sessions, one a line (default: standard input)")
    parser.add_argument("-k", type=int, default=20, metavar="K", help="items for each session (default: 20)")
    parser.add_argument("--format", choices=FORMATS, default="text", help="format of the answers (default: text)")
    parser.add_argument("--exclude-seen", action="store_true", help="leave out the items of the session")
    parser.add_argument("--device", default="cpu", metavar="|".join(DEVICES), help="where to compute (default: cpu)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: the cores)")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
