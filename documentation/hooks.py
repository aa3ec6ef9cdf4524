"""What mkdocs calls while it builds: pages from outside docs/, generated pages, links between them."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from documentation.layout import pages_from_elsewhere, rewrite_links, title
from documentation.reference import commands_page, options_page, python_page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    root = _root(config)
    for page, file in pages_from_elsewhere(root).items():
        files.append(File.generated(config, page, abs_src_path=str(file)))
    for page, text in generated_pages(root).items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files into links between pages."""
    source = page.file.abs_src_path
    return markdown if source is None else rewrite_links(markdown, Path(source).relative_to(_root(config)).as_posix())


def generated_pages(root: Path) -> dict[str, str]:
    """Page -> Markdown."""
    return {
        "reference/commands.md": commands_page(),
        "reference/options.md": options_page(),
        "reference/python.md": python_page(),
        "decisions/index.md": _list_of(root, "docs/decisions", "Decisions", "Which library, which design, and why."),
        "benchmarks/index.md": _list_of(
            root, "benchmarks/results", "Measured", "Each page names its command, machine and seed."
        ),
    }


def _list_of(root: Path, folder: str, heading: str, introduction: str) -> str:
    pages = sorted((root / folder).glob("*.md"))
    entries = [f"- [{title(page.read_text(encoding='utf-8'))}]({page.name})" for page in pages]
    return f"# {heading}\n\n{introduction}\n\n" + "\n".join(entries) + "\n"


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).parent
