"""Published results, from `published.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from narm.errors import InputError
from narm.models import ModelName
from narm.text.suggestion import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """A model in a published table.

    Attributes:
        name: as the paper has it.
        ours: the corresponding model of this project; None: it has none.
        recall: Recall@20 on test, in percent.
        mrr: MRR@20 on test, in percent.
    """

    name: str
    ours: ModelName | None
    recall: float
    mrr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTable:
    """A paper's results on one dataset.

    Attributes:
        table: name of the paper.
        source: the paper, and where in it.
        dataset: as this project calls it.
        note: what a reader must know, and where to get the data.
        rows: the models.
    """

    table: str
    source: str
    dataset: str
    note: str
    rows: tuple[PublishedRow, ...]


@cache
def published() -> dict[str, tuple[PublishedTable, ...]]:
    """All tables by name, one for each dataset."""
    text = resources.files("experiments.cli").joinpath("published.yaml").read_text(encoding="utf-8")
    return {
        name: tuple(
            PublishedTable(
                table=name,
                source=paper["source"],
                dataset=dataset,
                note=content["note"],
                rows=tuple(
                    PublishedRow(name=row, ours=values.get("ours"), recall=values["recall"], mrr=values["mrr"])
                    for row, values in content["rows"].items()
                ),
            )
            for dataset, content in paper["datasets"].items()
        )
        for name, paper in yaml.safe_load(text).items()
    }


def find_tables(name: str) -> tuple[PublishedTable, ...]:
    """The tables of a paper.

    Raises:
        InputError: there is no such paper; the message suggests the closest name.
    """
    if name not in published():
        raise InputError(f"table: there is no '{name}'{did_you_mean(name, published())}")
    return published()[name]
