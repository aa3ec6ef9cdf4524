"""What is claimed of two configurations or models, in words: better, no evidence, worse, and by how much."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.tuning.study.summary import Comparison, FinalistSummary, Meaning


def how_sure(compared: Comparison, *, one: str, other: str, base: float, best: str = "the best on validation") -> str:
    """What test says of the winner, which validation chose.

    Args:
        compared: the winner less the other.
        one: what to call the winner, `it` or `its model`.
        other: what to call the other.
        base: value of the other on test.
        best: what validation says of the winner.
    """
    if compared.meaning == "undecided":
        return f"{best}; no evidence on test that {one} is better than {other}"
    relative = f" ({compared.difference / base:+.0%})" if base > 0 else ""
    said = f"{compared.meaning} than {other}, {compared.metric} {compared.difference:+.4f}{relative} on test"
    said = said if one == "it" else f"{one} is {said}"
    return said if compared.meaning == "better" else f"{best}, but {said}"


def claim(meaning: Meaning, subject: str, other: str) -> str:
    """What test says of two, to begin a sentence."""
    said = f"{subject} is {meaning} than {other} on test"
    if meaning == "undecided":
        said = f"no evidence that {subject} is better than {other} on test"
    return f"{said[0].upper()}{said[1:]}"


def figures(compared: Sequence[Comparison]) -> str:
    """`MRR@10 +0.0110 [+0.0040, +0.0180]`, each metric after the other."""
    return ", ".join(f"{c.metric} {c.difference:+.4f} [{c.low:+.4f}, {c.high:+.4f}]" for c in compared)


def name_of(finalist: FinalistSummary) -> str:
    """What to call a finalist in a sentence."""
    return "the default configuration" if finalist.is_default else f"trial {finalist.number}"


def seeds_in_words(count: int) -> str:
    """`1 seed`, `2 seeds`."""
    return "1 seed" if count == 1 else f"{count} seeds"
