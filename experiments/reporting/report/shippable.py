"""The models that could ship, side by side: how good each is, how large, and how fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.summary import TRAINED_ON, FinalistSummary, Finals, RefitModel, ShippedModel
from narm.metrics import key_of

NO_VALUE = "-"
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
    """A run on average, the run that was best on validation, all as one model, and what of these was trained again."""
    shipping, shipped = finals.shipping, finals.shipped
    if shipping is None:
        return
    single, bag, refit, n_runs = shipping.single, shipping.bag, shipping.refit, len(shipped.seeds)
    if n_runs > 1:
        yield Shippable(name=f"mean of {n_runs} runs", figures=_means(shipped, objective, single), ships=False)
    is_kept = finals.kept is not None
    name = "the best on validation" if n_runs > 1 else "the run"
    is_last = refit is None and not is_kept
    yield Shippable(name=name, figures=_own(single, objective), ships=bag is None and is_last)
    if bag is not None:
        name = f"bag of {len(bag.seeds)} runs"
        yield Shippable(name=name, figures=_own(bag, objective), ships=is_last)
    if refit is not None:
        yield Shippable(name=f"{name}, refit", figures=_own(refit.model, objective), ships=not is_kept)


def notes(finals: Finals) -> Iterator[str]:
    """What the rows do not say, a sentence each: what the figures of a refit mean, and why something is not there."""
    shipping = finals.shipping
    if shipping is None:
        return
    if shipping.refit is not None:
        yield _about_the_refit(shipping.refit)
    if shipping.why_no_bag is not None:
        yield f"No bag: {shipping.why_no_bag}."
    if shipping.why_no_refit is not None:
        yield f"No refit: {shipping.why_no_refit}."


def _about_the_refit(refit: RefitModel) -> str:
    """How it was trained, and what its figures are good for."""
    epochs = "1 epoch" if list(refit.epochs) == [1] else f"{' and '.join(map(str, refit.epochs))} epochs"
    trained = f"Refit: trained once more, on {TRAINED_ON[refit.on]}, for {epochs}, as was best on validation."
    if refit.on == "all":
        return f"{trained} Nothing is left to judge it by: the figures above it are of the model before that."
    return f"{trained} Its test figures are a single look, which decided nothing; those above it were compared."


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
    """What a model has learned from cannot judge it: then it has no value."""
    key = key_of(metric)
    return f"{metrics[key]:.4f}" if key in metrics else NO_VALUE


def _cost(model: ShippedModel) -> tuple[str, str]:
    return f"{model.megabytes:.3g}", f"{model.milliseconds:.3g}"
