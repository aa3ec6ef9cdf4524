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

from narm.data.readers.event_table import EventTable
from narm.data.readers.examples import ordered_sessions, whole_sessions
from narm.errors import InputError

SUFFIXES = (".pkl", ".pickle")
LARGEST = 2**31  # bytes, unpacked; Yoochoose 1/4, the largest that is around, has a third of it

_STARTS = (b"\x80", b"]q\0", b"(]q", b"(lp", b"((lp")  # protocols 2 and later; 1; 0, that of Python 2
_INTEGERS = frozenset({"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"})
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_WITHOUT_EFFECT = frozenset({"PROTO", "FRAME"})


def is_pickle(path: Path) -> bool:
    """Whether a file, whatever its name, begins as these pickles do, and as no text does."""
    with pa.input_stream(path) as file:
        return bool(file.read(4).startswith(_STARTS))


def read_pickle(path: Path) -> EventTable:
    """Read `all_train_seq.txt`, a list of sessions, or `train.txt` and `test.txt`, (prefixes, targets).

    The sessions stand in time order, but tell no time.

    Raises:
        InputError: the pickle has anything in it but lists, tuples and integers, or they are put together otherwise.
    """
    with pa.input_stream(path) as file:
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
    """Carry out the instructions, as pickle's own machine does: a stack, the stacks below each mark, a memo."""
    stack: list[object] = []
    below: list[list[object]] = []
    memo: dict[int, object] = {}
    for opcode, argument, position in pickletools.genops(data):
        name = opcode.name
        if name in _INTEGERS and type(argument) is int:
            stack.append(argument)
        elif name in ("APPEND", "APPENDS"):
            added = [stack.pop()] if name == "APPEND" else stack
            stack = stack if name == "APPEND" else below.pop()
            _list_at_top(stack, position).extend(added)
        elif name in ("EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append([] if name == "EMPTY_LIST" else ())
        elif name == "MARK":
            below.append(stack)
            stack = []
        elif name in ("LIST", "TUPLE"):
            made = stack if name == "LIST" else tuple(stack)
            stack = below.pop()
            stack.append(made)
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name in _PUT:
            memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in _GET:
            stack.append(memo[int(argument)])
        elif name == "STOP":
            return stack.pop()
        elif name not in _WITHOUT_EFFECT:
            raise InputError(
                f"{path}, byte {position}: refused: {name} makes something else than lists, tuples and integers"
            )
    raise ValueError("it has no end")


def _list_at_top(stack: list[object], position: int) -> list[object]:
    top = stack[-1]
    if not isinstance(top, list):
        raise ValueError(f"byte {position} appends to what is no list")
    return top


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
