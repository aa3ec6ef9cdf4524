"""What the Markdown files point to is there: files, headings, commands and their flags."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from documentation.layout import headings, links, local_target, page_of, rewrite_links, title
from experiments.cli import search_parser
from experiments.cli.commands import COMMANDS
from experiments.cli.flags import given_options
from narm.config import Config

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "search_spaces/*.md", "benchmarks/results/*.md", "tests/golden/*.md")
    for path in ROOT.glob(pattern)
)


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_every_link_leads_somewhere(file):
    for target in links(text_of(file)):
        found = local_target(target, file) or (file, target if target.startswith("#") else "")
        path, anchor = found
        assert (ROOT / path).exists(), f"{file}: {target}"
        if anchor:
            assert anchor[1:] in headings(text_of(path)), f"{file}: {target}"


COMMAND = re.compile(r"python -m (experiments[\w.-]*)((?:[^\n`#|>]|(?<=\\)\n)*)")


def calls() -> list[tuple[str, str, str]]:
    """File, command and arguments of every call of a command in the documentation."""
    return [
        (file, module.partition(".")[2], _plain(arguments))
        for file in FILES
        if not file.startswith(("benchmarks/", "CHANGELOG", "tests/"))
        for module, arguments in COMMAND.findall(text_of(file))
    ]


def _plain(arguments: str) -> str:
    """On one line, without the explanation behind it, and with something for the places that are left open."""
    one_line = re.sub(r"\s*\\\n\s*", " ", arguments)
    return re.sub(r"\s{2,}.*|[.,;:)]+(?=\s|$)", "", one_line).replace("NUMBER", "7").strip()


@pytest.mark.parametrize(("file", "name", "arguments"), calls())
def test_every_command_that_is_shown_is_one(file, name, arguments):
    if not name:
        return
    assert name in COMMANDS, f"{file}: there is no command {name}"
    given, rest = COMMANDS[name].parser().parse_known_args(shlex.split(arguments))
    if name in ("compare", "reproduce"):  # which hand what they do not know on to their searches
        given = search_parser.build_parser().parse_args(rest)
    else:
        assert not rest
    Config.from_flat(given_options(given))


def test_links_between_files_become_links_between_pages():
    text = "[a](../README.md#start) [b](protocol.md) [c](../benchmarks/results/) ![d](x.png) [e](../narm/model.py)"
    assert rewrite_links(text, "docs/tutorial.md") == (
        "[a](index.md#start) [b](protocol.md) [c](benchmarks/index.md) ![d](x.png) e"
    )
    assert rewrite_links("[a](docs/gpu.md) [b](https://arxiv.org)", "README.md") == "[a](gpu.md) [b](https://arxiv.org)"
    assert rewrite_links("[a](../cluster.md)", "docs/decisions/0001-x.md") == "[a](../cluster.md)"


def test_code_keeps_its_brackets():
    text = "```\n[a](b.md)\n```\n[a](protocol.md)"
    assert rewrite_links(text, "docs/tutorial.md") == text
    assert list(links(text)) == ["protocol.md"]


@pytest.mark.parametrize(
    ("file", "page"),
    [
        ("README.md", "index.md"),
        ("docs/decisions/0001-packed-layout.md", "decisions/0001-packed-layout.md"),
        ("docs/decisions", "decisions/index.md"),
        ("benchmarks/results/epoch.png", "benchmarks/epoch.png"),
        ("narm/model.py", None),
        ("docs", None),
    ],
)
def test_pages_of_files(file, page):
    assert page_of(file) == page


def test_headings_have_the_anchors_that_mkdocs_and_github_give_them():
    text = "# Who sees `which` split\n```\n# no heading\n```\n## A checkpoint of RecBole's\n"
    assert list(headings(text)) == ["who-sees-which-split", "a-checkpoint-of-recboles"]
    assert title(text) == "Who sees `which` split"
