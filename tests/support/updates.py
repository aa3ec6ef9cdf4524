"""Updates of an outbox that mean nothing."""

from __future__ import annotations

from experiments.tracking.outbox import Outbox
from experiments.tracking.update import Update

HEADER = {"study": "abc"}


def updates(n: int) -> list[Update]:
    return [Update(run=str(i), time=1000 + i, step=i, metrics={"recall_at_10": i / 7}) for i in range(n)]


def append_all(outbox: Outbox, items: list[Update]) -> list[Update]:
    for update in items:
        outbox.append(update)
    return items
