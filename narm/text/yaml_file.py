"""YAML that people write: plain data only, no key twice, and the line of every key.

Stricter than PyYAML's safe loader in what it accepts (no tags, anchors, dates or keys that are not text), and
kinder in one thing: numbers are those of YAML 1.2, where PyYAML reads `1e-3` as text, `010` as 8 and `1:30` as 90.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import yaml

from narm.errors import InputError
from narm.text.text_file import located

Keys = tuple[str | int, ...]

SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null", "str")}
INTEGER = "tag:yaml.org,2002:int"
MAPPING, SEQUENCE = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A mapping read from YAML, with the lines of its keys."""

    file: str
    values: dict[str, Any]
    lines: dict[Keys, int]

    def line(self, *keys: str | int) -> int:
        """Line of a key, `line("learning_rate", "low")`, or of the nearest key around it; from 1."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 1)

    def at(self, *keys: str | int) -> AbstractContextManager[None]:
        """A block whose InputErrors name the file and the line of that key."""
        return located(self.file, self.line(*keys))


def parse_yaml(text: str, file: str) -> YamlFile:
    """Read a YAML mapping; an empty document is an empty mapping.

    Raises:
        InputError: it is not YAML, not a mapping, or more than plain data; `file` and the line are named.
    """
    reader = _Reader(file)
    root = _compose(text, file)
    if root is None:
        return YamlFile(file, {}, {})
    if not isinstance(root, yaml.MappingNode):
        raise InputError(f"{file}:{_line(root)}: expected `name: value` lines")
    return YamlFile(file, reader.mapping(root, ()), reader.lines)


class _Loader(yaml.SafeLoader):
    """Resolves numbers as YAML 1.2 does, and refuses aliases, with which a short file can mean a huge one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not accepted: repeat the value", mark)
        return super().compose_node(parent, index)


_NUMBERS = {
    "int": re.compile(r"[-+]?[0-9]+(_[0-9]+)*$|0x[0-9a-fA-F]+$"),
    "float": re.compile(
        r"[-+]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"
    ),
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in _NUMBERS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, _pattern in _NUMBERS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", _pattern, list("-+0123456789."))


def _compose(text: str, file: str) -> yaml.Node | None:
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = ", ".join(filter(None, (error.context, error.problem)))
        if "'\\t'" in problem:
            problem += ": use spaces in place of tabs"
        raise InputError(f"{file}:{line}: not YAML: {problem}") from None
    except yaml.YAMLError as error:  # the reader's, whose text has several lines
        raise InputError(f"{file}: not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise InputError(f"{file}: nested too deeply") from None
    finally:
        if loader:
            loader.dispose()


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


@dataclass(slots=True)
class _Reader:
    """Turns nodes into values, and notes the line of each key on the way."""

    file: str
    lines: dict[Keys, int] = field(default_factory=dict)
    constructor: yaml.constructor.SafeConstructor = field(default_factory=yaml.constructor.SafeConstructor)

    def value(self, node: yaml.Node, keys: Keys) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == MAPPING:
            return self.mapping(node, keys)
        if isinstance(node, yaml.SequenceNode) and node.tag == SEQUENCE:
            return self.sequence(node, keys)
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node)
            here = (*keys, key)
            if key in values:
                raise self.error(key_node, f"'{key}' a second time: it is already on line {self.lines[here]}")
            self.lines[here] = _line(key_node)
            values[key] = self.value(value_node, here)
        return values

    def sequence(self, node: yaml.SequenceNode, keys: Keys) -> list[Any]:
        values = []
        for index, item in enumerate(node.value):
            here = (*keys, index)
            self.lines[here] = _line(item)
            values.append(self.value(item, here))
        return values

    def key(self, node: yaml.Node) -> str:
        key = self.scalar(node) if isinstance(node, yaml.ScalarNode) else node.value
        if not isinstance(key, str):
            raise self.error(node, f"a key must be text, not {key!r}" if node.tag in SCALARS else "a key must be text")
        return key

    def scalar(self, node: yaml.Node) -> Any:
        if node.tag not in SCALARS:
            kind = node.tag.rpartition(":")[2]
            raise self.error(node, f"plain data expected, not '{kind}': quote it if it is text")
        try:
            if node.tag == INTEGER:
                return int(node.value, 16 if "0x" in node.value else 10)
            return self.constructor.construct_object(node)
        except (ValueError, KeyError, yaml.YAMLError):
            raise self.error(node, f"{node.value!r} is not a value of the type its tag names") from None

    def error(self, node: yaml.Node, message: str) -> InputError:
        return InputError(f"{self.file}:{_line(node)}: {message}")
