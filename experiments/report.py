"""`python -m experiments.report`: what a search found, as a page to read and as Markdown to paste."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.cli import command_line
from experiments.reporting.study_files import PAGE
from narm.machine.files import require_writable, write_text

EPILOG = """\
A search writes the page itself when it ends; this writes it anew, also while a search runs.

examples:
  python -m experiments.report ml-100k-recbole-20260102-030405
  python -m experiments.report runs/my-study --html winner.html --markdown -

exit status: 0; 2 wrong usage, or no such study
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report of a study.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, no such study, or a file that cannot be written.
    """
    given = build_parser().parse_args(arguments)
    from experiments.reporting.report.markdown import study_markdown
    from experiments.reporting.report.publish import write_page
    from experiments.tuning.study.saved_study import open_saved

    study, output = command_line.study_place(given.study, given.output)
    saved = open_saved(study, output=output, storage=given.storage)
    page = require_writable(Path(given.html) if given.html else saved.folder / PAGE)
    markdown = require_writable(Path(given.markdown)) if given.markdown not in (None, "-") else None
    write_page(saved, page)
    print(f"report: {page}", file=sys.stderr)
    if given.markdown == "-":
        print(study_markdown(saved), end="")
    elif markdown is not None:
        write_text(markdown, study_markdown(saved))
        print(f"markdown: {markdown}", file=sys.stderr)
    return 0


def build_parser() -> command_line.Parser:
    """Every flag."""
    parser = command_line.Parser(
        prog="python -m experiments.report",
        description="Write what a search found as one HTML page that needs no network.",
        epilog=EPILOG,
    )
    parser.add_argument("study", metavar="STUDY", help=command_line.STUDY_HELP)
    parser.add_argument("--html", metavar="FILE", help=f"the page (default: OUTPUT/STUDY/{PAGE})")
    parser.add_argument("--markdown", metavar="FILE", help="a summary for a pull request; -: print it")
    command_line.add_study_places(parser)
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
