"""Pydantic's errors in one line."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from narm.text.suggestion import did_you_mean


def explain(error: ValidationError, name: str | None = None, *, known: Iterable[str]) -> str:
    """The first problem that pydantic found, in one line: `hidden_size: 0: input should be at least 1`.

    Args:
        error: as pydantic raised it.
        name: name of the value that was validated, if the error does not start with it.
        known: the keys to choose a suggestion from, if one is unknown.
    """
    problem = error.errors(include_url=False)[0]
    path = [str(part) for part in problem["loc"] if not str(part).startswith("function-")]
    where = ".".join([name, *path] if name and path[:1] != [name] else path)
    if problem["type"] == "value_error":
        return f"{problem['ctx']['error']}"
    if problem["type"] == "extra_forbidden":
        return f"unknown option '{where}'{did_you_mean(path[-1], known)}"
    if problem["type"] == "missing":  # of a tuple's values
        return f"{where.rpartition('.')[0]}: {problem['input']!r}: one value more is needed"
    if problem["type"] == "tuple_type":
        return f"{where}: {problem['input']!r}: input should be a list"
    if problem["type"] == "too_long":
        most, count = problem["ctx"]["max_length"], len(problem["input"])
        return f"{where}: {problem['input']!r}: {most} values are wanted, not {count}"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{where}: {problem['input']!r}: {message}"
