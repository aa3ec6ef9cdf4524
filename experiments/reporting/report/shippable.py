"""The models that could ship, side by side: how good each is, how large, and how fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.summary import FinalistSummary, Finals, ShippedModel
from narm.metrics import key_of

NOTE = "MB of weights; milliseconds a request of one session takes, in the middle of a hundred."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shippable:
    """A row of the table.

    Attributes:
        name: of the model.
        figures: validation and test metrics, megabytes and milliseconds.
        ships: whether it is what ships.
    """

    name: str
    figures: Sequence[str]
    ships: bool


def title(finals: Finals) -> str:
    """Of the table."""
    shipped = finals.shipped
    of = "the default configuration" if shipped.is_default else f"trial {shipped.number}"
    return f"The model to ship, of {of}" if finals.kept is None else f"What could have been shipped, of {of}"


def headings(objective: str) -> list[str]:
    """Of the columns of figures."""
    return [f"validation {objective}", *(f"test {metric}" for metric in compared_metrics(objective)), "MB", "ms"]


def shippable(finals: Finals, objective: str) -> Iterator[Shippable]:
    """A run on average, the run that was best on validation, and all as one model, as far as there are such."""
    shipping, shipped = finals.shipping, finals.shipped
    if shipping is None:
        return
    single, bag, n_runs = shipping.single, shipping.bag, len(shipped.seeds)
    if n_runs > 1:
        yield Shippable(name=f"mean of {n_runs} runs", figures=_means(shipped, objective, single), ships=False)
    is_kept = finals.kept is not None
    name = "the best on validation" if n_runs > 1 else "the run"
    yield Shippable(name=name, figures=_own(single, objective), ships=bag is None and not is_kept)
    if bag is not None:
        yield Shippable(name=f"bag of {len(bag.seeds)} runs", figures=_own(bag, objective), ships=not is_kept)


def why_no_bag(finals: Finals) -> str | None:
    """A sentence, where a bag was asked for and there is none."""
    reason = None if finals.shipping is None else finals.shipping.why_no_bag
    return None if reason is None else f"No bag: {reason}."


def _means(finalist: FinalistSummary, objective: str, single: ShippedModel) -> list[str]:
    tested = [str(finalist.test[key_of(metric)]) for metric in compared_metrics(objective)]
    return [str(finalist.valid[key_of(objective)]), *tested, *_cost(single)]


def _own(model: ShippedModel, objective: str) -> list[str]:
    return [
        _value(model.valid, objective),
        *(_value(model.test, m) for m in compared_metrics(objective)),
        *_cost(model),
    ]


def _value(metrics: Mapping[str, float], metric: str) -> str:
    return f"{metrics[key_of(metric)]:.4f}"


def _cost(model: ShippedModel) -> tuple[str, str]:
    return f"{model.megabytes:.3g}", f"{model.milliseconds:.3g}"
