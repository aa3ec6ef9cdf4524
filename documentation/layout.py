"""Where a file of the repository stands on the site, and the links between them.

The pages are Markdown files that link to one another as files do, so that they read well in a checkout. On the site
docs/ is the root, and some pages come from elsewhere.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "search_spaces/README.md": "search-spaces.md",
    "search_spaces": "search-spaces.md",
    "docs/decisions": "decisions/index.md",
    "benchmarks/results": "benchmarks/index.md",
}
"""File or folder -> page, where it is not simply below docs/."""

_FOLDERS = {"docs": "", "benchmarks/results": "benchmarks"}
_SUFFIXES = {".md", ".png", ".json", ".yaml"}

_FENCED = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def page_of(file: str) -> str | None:
    """The page of a file or folder, `docs/protocol.md` -> `protocol.md`; None: it is not on the site."""
    if file in PAGES:
        return PAGES[file]
    folder, _, name = file.rpartition("/")
    for root, on_site in _FOLDERS.items():
        if (folder == root or folder.startswith(f"{root}/")) and posixpath.splitext(name)[1] in _SUFFIXES:
            return posixpath.join(on_site, posixpath.relpath(file, root))
    return None


def pages_from_elsewhere(root: Path) -> dict[str, Path]:
    """Pages, and what they show, of files outside docs/."""
    files = [root / file for file in PAGES if (root / file).is_file()]
    files += [file for file in sorted((root / "benchmarks/results").iterdir()) if file.suffix in _SUFFIXES]
    places = {page_of(file.relative_to(root).as_posix()): file for file in files}
    return {page: file for page, file in places.items() if page}


def rewrite_links(markdown: str, file: str) -> str:
    """The text with its links to files turned into links to pages; one to a file that has no page becomes text.

    Args:
        markdown: of a page.
        file: it comes from, relative to the repository.
    """
    here = posixpath.dirname(page_of(file) or "")

    def rewrite(match: re.Match[str]) -> str:
        target = local_target(match["target"], file)
        if target is None:
            return match[0]
        path, anchor = target
        page = page_of(path)
        if page is None:
            return match["text"]
        return f"{match['image']}[{match['text']}]({posixpath.relpath(page, here or '.')}{anchor})"

    code, texts = _FENCED.findall(markdown), _FENCED.split(markdown)
    return "".join(_LINK.sub(rewrite, text) + block for text, block in zip(texts, [*code, ""], strict=True))


def links(markdown: str) -> Iterator[str]:
    """Target of every link outside blocks of code."""
    yield from (match["target"] for match in _LINK.finditer(_FENCED.sub("", markdown)))


def local_target(target: str, file: str) -> tuple[str, str] | None:
    """The file, relative to the repository, and the anchor of a link in `file`; None: it leads to no other file."""
    path, sign, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path)), sign + anchor


def headings(markdown: str) -> Mapping[str, str]:
    """Anchor -> heading, of every heading outside blocks of code."""
    found = re.findall(r"^#{1,6} +(.+?) *$", _FENCED.sub("", markdown), re.MULTILINE)
    return {re.sub(r"[ ]+", "-", re.sub(r"[^\w\- ]", "", heading).strip().lower()): heading for heading in found}


def title(markdown: str) -> str:
    """The first heading."""
    return next(iter(headings(markdown).values()), "")
