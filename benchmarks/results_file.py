"""What a benchmark leaves behind: the figures as JSON, a table in Markdown, and the command and machine beside them."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from narm.machine.files import write_text

RESULTS = Path(__file__).parent / "results"


def write_results(
    name: str,
    *,
    title: str,
    notes: str,
    rows: Sequence[Mapping[str, Any]],
    plot: bool = False,
    module: str | None = None,
) -> None:
    """Write `results/NAME.json` and `results/NAME.md`, with this machine beside the rows.

    Args:
        name: of the benchmark.
        title: heading of the table.
        notes: what a reader must know to read the table.
        rows: the table, all with the same keys, numbers already rounded.
        plot: whether `results/NAME.png` stands beside the table.
        module: of the command, where the result has another name.
    """
    machine = describe()
    command = shlex.join(["python", "-m", f"benchmarks.{module or name}", *_arguments()])
    record = {"command": command, "date": date.today().isoformat(), "machine": asdict(machine), "rows": list(rows)}
    write_text(RESULTS / f"{name}.json", json.dumps(record, indent=2) + "\n")
    lines = [
        f"# {title}",
        "",
        f"`{command}`, {date.today().isoformat()}, {machine.cpu}, {machine.instruction_set}, "
        f"{machine.n_threads} threads, sgemm {machine.sgemm_gflops:.0f} GFLOP/s, torch {machine.versions['torch']}.",
        "",
        notes,
        "",
        *markdown_table(rows),
        *(["", f"![{title}]({name}.png)"] if plot else []),
    ]
    write_text(RESULTS / f"{name}.md", "\n".join(lines) + "\n")


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rows as lines of a Markdown table; numbers stand to the right."""
    header = list(rows[0])
    align = ["---:" if isinstance(rows[0][key], (int, float)) else "---" for key in header]
    body = [[_cell(row[key]) for key in header] for row in rows]
    return ["| " + " | ".join(cells) + " |" for cells in (header, align, *body)]


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _arguments() -> list[str]:
    """The command's arguments, a data folder by its name alone: a result names no path of a machine."""
    return [re.sub(r"(^|=)/\S*/", r"\1", argument) for argument in sys.argv[1:]]
