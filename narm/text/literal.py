"""Text as values: YAML and Python literals, and lists separated by commas."""

from __future__ import annotations

import ast

import yaml


def parse_literal(value: object) -> object:
    """Read text as YAML, or as a Python literal: `[0.25,0.5]`, `{'sample_num': 1}`, `1e-3`, `None`."""
    if not isinstance(value, str):
        return value
    if value.strip() in ("None", "none", "~", "null"):
        return None
    if value.strip().startswith(("{", "[", "(")):
        for read in (ast.literal_eval, yaml.safe_load):
            try:
                return read(value)
            except (ValueError, SyntaxError, yaml.YAMLError):
                continue
    return value


def parse_tuple(value: object) -> object:
    """Read text as a tuple: a literal, or parts between commas; a single number is a tuple of one."""
    value = parse_literal(value)
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return (value,) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
