"""What is said of the model that a person has, `--against`: whether to keep it, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.reporting.report.claims import claim, figures, how_sure, name_of, seeds_in_words
from experiments.tuning.study.summary import Finals, IncumbentSummary
from narm.metrics import key_of


def headline(finals: Finals, incumbent: IncumbentSummary) -> str:
    """What to do: ship another model, or keep that."""
    winner, metric = finals.finalists[0], incumbent.lead.metric
    key = key_of(metric)
    if finals.kept is not None:
        candidate = name_of(winner) if finals.bag is None else f"the bag of {name_of(winner)}"
        values = f"{metric} {finals.shipped_valid[key]:.4f} against {incumbent.valid[key]:.4f}"
        return f"Keep {incumbent.name}: {candidate} is no better on validation, {values}."
    one = "its model" if incumbent.lead.seeds == "left out" else "it"
    return (
        f"Ship {name_of(winner)}: {how_sure(incumbent.lead, one=one, other=incumbent.name, base=incumbent.test[key])}."
    )


def sentences(finals: Finals, incumbent: IncumbentSummary) -> Iterator[str]:
    """The model, and the winner beside it."""
    key = key_of(incumbent.lead.metric)
    yield (
        f"{incumbent.name}, which you have: {incumbent.lead.metric} {incumbent.valid[key]:.4f} on validation, "
        f"{incumbent.test[key]:.4f} on test; {known_items(incumbent.known_items, incumbent.n_items)}."
    )
    if not incumbent.same_data:
        yield (
            f"{incumbent.name} was trained on other data: if they hold sessions of this validation or test split, it "
            "looks better here than it is."
        )
    yield _comparison(finals, incumbent)


def _comparison(finals: Finals, incumbent: IncumbentSummary) -> str:
    """How sure it is that the winner is better; a single seed makes it a sentence about one model."""
    winner, lead = finals.finalists[0], incumbent.lead
    subject, seeds = name_of(winner), f", {seeds_in_words(len(winner.seeds))} against this one model"
    if lead.seeds == "left out":
        subject, seeds = f"the model of {subject}", ", one seed: another may order the two otherwise"
    elif lead.seeds == "none":
        seeds = ""
    doubt = ""
    if finals.kept is not None and lead.meaning == "better":
        doubt = "; validation does not prefer it, and decides"
    elif finals.kept is None and lead.meaning == "worse":
        doubt = "; validation has it ahead, and decides"
    return f"{claim(lead.meaning, subject, incumbent.name)}: {figures(incumbent.comparisons)}{seeds}{doubt}."


def known_items(known: int, n_items: int) -> str:
    """`it knows 1,203 of 1,349 items`."""
    return f"it knows all {n_items:,} items" if known == n_items else f"it knows {known:,} of {n_items:,} items"
