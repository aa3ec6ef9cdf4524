"""The pickles of NARM, SR-GNN and GCE-GNN: lists of sessions, or prefixes and their targets.

A pickle is a program, and may be one that deletes files. Only the instructions that build lists, tuples and integers
are carried out here; `pickletools`, which takes programs apart without running them, reads the instructions.
"""

from __future__ import annotations

import pickletools
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from narm.config import DataConfig
from narm.data.readers.event_table import EventTable
from narm.data.readers.examples import ordered_sessions, whole_sessions
from narm.data.readers.layout import open_bytes
from narm.errors import InputError

SUFFIXES = (".pkl", ".pickle")
LARGEST = 2**31  # bytes, unpacked; Yoochoose 1/4, the largest that is around, has a third of it

_STARTS = (b"\x80", b"]q\0", b"(]q", b"(lp", b"((lp")  # protocols 2 and later; 1; 0, that of Python 2


def is_pickle(path: Path) -> bool:
    """Whether a file, whatever its name, begins as these pickles do, and as no text does."""
    with open_bytes(path) as file:
        return bool(file.read(4).startswith(_STARTS))


def read_pickle(path: Path, config: DataConfig) -> EventTable:
    """Read `all_train_seq.txt`, a list of sessions, or `train.txt` and `test.txt`, (prefixes, targets).

    The sessions are in time order, but have no times.

    Args:
        path: the file.
        config: not used; such a file has no columns, and a wrong one is refused whole.
    Raises:
        InputError: the pickle has anything in it but lists, tuples and integers, or they are put together otherwise.
    """
    with open_bytes(path) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"{path}: larger than {LARGEST:,} bytes, unpacked")
    content = unpickle(data, path)
    if not _is_pair(content):
        return ordered_sessions(*_flat(_rows(content, data, path), path), path)
    prefixes, targets = content
    rows = _rows(prefixes, data, path)
    items, lengths = _flat([(*prefix, target) for prefix, target in zip(rows, targets, strict=True)], path)
    if lengths.min() < 2:
        raise InputError(f"{path}: example {int(lengths.argmin()) + 1} has no item before its target")
    return whole_sessions(items, np.append(0, np.cumsum(lengths)), path)


def unpickle(data: bytes, path: Path) -> object:
    """What a pickle holds, if it is lists, tuples and integers and nothing else.

    Raises:
        InputError: it is not, or it is damaged; the message names the byte.
    """
    try:
        return _run(data, path)
    except InputError:
        raise
    except (ValueError, OverflowError, LookupError) as error:
        raise InputError(f"{path}: not a whole pickle: {str(error).splitlines()[0][:200]}") from None


def _run(data: bytes, path: Path) -> object:
    machine = _Machine()
    for opcode, argument, position in pickletools.genops(data):
        if opcode.name == "STOP":
            return machine.stack.pop()
        if not machine.step(opcode.name, argument):
            raise InputError(
                f"{path}, byte {position}: refused: {opcode.name} makes something else than lists, tuples and integers"
            )
    raise ValueError("it has no end")


class _Machine:
    """A stack, the stacks below each mark, and a memo, as in pickle's own machine."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self._below: list[list[object]] = []
        self._memo: dict[object, object] = {}

    def step(self, name: str, argument: object) -> bool:
        """Carry out one instruction; False if it is none of those admitted."""
        match name:
            case "INT" | "BININT" | "BININT1" | "BININT2" | "LONG" | "LONG1" if type(argument) is int:
                self.stack.append(argument)  # protocol 0 writes True as an INT
            case "EMPTY_LIST" | "EMPTY_TUPLE":
                self.stack.append([] if name == "EMPTY_LIST" else ())
            case "MARK":
                self._below.append(self.stack)
                self.stack = []
            case "LIST" | "TUPLE":
                above = self._pop_mark()
                self.stack.append(above if name == "LIST" else tuple(above))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(name[-1])
                self.stack[-size:] = [tuple(self.stack[-size:])]
            case "APPEND" | "APPENDS":
                self._extend([self.stack.pop()] if name == "APPEND" else self._pop_mark())
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = self.stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = self.stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                self.stack.append(self._memo[argument])
            case _:
                return name in ("PROTO", "FRAME")  # which have no effect
        return True

    def _pop_mark(self) -> list[object]:
        above = self.stack
        self.stack = self._below.pop()
        return above

    def _extend(self, added: list[object]) -> None:
        top = self.stack[-1]
        if not isinstance(top, list):
            raise ValueError("it appends to what is no list")
        top.extend(added)


def _is_pair(content: object) -> TypeGuard[Sequence[Sequence[object]]]:
    """Whether it is (prefixes, targets): as many integers as sequences."""
    match content:
        case [[[*_], *_] as prefixes, [int(), *_] as targets]:
            return len(prefixes) == len(targets)
    return False


def _rows(content: object, data: bytes, path: Path) -> Sequence[Sequence[object]]:
    """The sequences of a sequence, if there is nothing else in it, and not more than the file can have spelled out."""
    if not isinstance(content, Sequence) or not content or not all(isinstance(row, Sequence) for row in content):
        raise InputError(f"{path}: neither a list of sessions nor (prefixes, targets)")
    n_items = sum(map(len, content))
    if n_items > len(data):  # one list used again and again: small to store, endless to write out
        raise InputError(f"{path}: {n_items:,} items in {len(data):,} bytes: no dataset is written so")
    return content


def _flat(rows: Sequence[Sequence[object]], path: Path) -> tuple[pa.DictionaryArray, NDArray[np.int64]]:
    """The items of all rows, one after the other, and the length of each row."""
    lengths = np.array([len(row) for row in rows])
    flat: chain[Any] = chain.from_iterable(rows)
    try:
        items = np.fromiter(flat, dtype=np.int64, count=int(lengths.sum()))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{path}: an item is not an integer of 64 bits") from None
    if len(items) == 0:
        raise InputError(f"{path}: no events")
    return pa.array(items).dictionary_encode(), lengths
