"""The spaces that learning curves are recorded of, as they were then: a bundled space may change, its curves do not."""

from __future__ import annotations

from pathlib import Path

from search_spaces.space import SearchSpace, load_space, parse_space

_AS_RECORDED = {"narm": Path(__file__).parent / "narm_space.yaml"}


def recorded_space(name: str) -> SearchSpace:
    """The space of that name in the table of curves, or one that is to be recorded: bundled, or a file.

    Raises:
        InputError: there is no such space.
    """
    file = _AS_RECORDED.get(name)
    return load_space(name) if file is None else parse_space(name, f"benchmarks/{file.name}", file.read_text("utf-8"))
