"""An update: what became known of one run at one moment, as a line of an outbox holds it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

RunStatus = Literal["RUNNING", "SCHEDULED", "FINISHED", "KILLED", "FAILED"]
OPEN: tuple[RunStatus, ...] = ("RUNNING", "SCHEDULED")


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What became known of one run at one moment.

    Attributes:
        run: the run's name within its study.
        time: when, in milliseconds since 1970; now by default.
        step: epoch of the metrics.
        status: new status of the run; None: unchanged.
        links: tags that hold MLflow's id of another run of the study; by name of the tag, that run's name.
        dataset: input of the run, as MLflow describes a dataset.
        texts: content of artifacts, by name.
        files: paths of artifacts, by name; relative to the study's folder where they are in it.
        registration: a model to register, in JSON types; empty: none.
    """

    run: str
    time: int = field(default_factory=now)
    step: int = 0
    status: RunStatus | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    dataset: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    registration: Mapping[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """One line of JSON, without empty fields (NaN is written as Python's json does)."""
        given = {part.name: value for part in fields(self) if (value := getattr(self, part.name))}
        return json.dumps(given, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Update:
        """Read what `to_line` wrote.

        Raises:
            ValueError, TypeError: the line is damaged.
        """
        return cls(**json.loads(line))
