"""Models side by side: the reference, the differences, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from experiments.reporting.model_comparison.report import markdown, plot_by_length, print_comparison, sentences
from experiments.tuning.engine.model_comparison import Contender, ModelComparison, compare_models
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Examples, Sessions
from narm.metrics import recall

N_SESSIONS = 120


@pytest.fixture
def test_split() -> Examples:
    """As many sessions of 2 events as of 7."""
    lengths = np.where(np.arange(N_SESSIONS) % 2, 2, 7)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return Examples.every_prefix(Sessions(np.ones(offsets[-1], np.int32), offsets))


def contender(model: str, valid: float, *ranks: np.ndarray) -> Contender:
    runs = [
        FinalistRun(
            finalist=Finalist(number=0, options={}),
            seed=seed,
            epochs=1,
            best_epoch=1,
            seconds=1.0,
            valid={"mrr_at_20": valid},
            test={},
            ranks=of_seed,
        )
        for seed, of_seed in enumerate(ranks)
    ]
    return Contender(model=model, params={"learning_rate": 0.001}, runs=runs, trials=3, seconds=2.0)


def compared(contenders: list[Contender], test_split: Examples) -> ModelComparison:
    return compare_models(
        contenders,
        test_split,
        dataset="made up",
        fingerprint="f",
        objective="MRR@20",
        metrics=["Recall@20"],
        seed=1,
        resamples=500,
    )


@pytest.fixture
def comparison(test_split: Examples) -> ModelComparison:
    """`good` finds every target, `luck` half of them, `short` those of the short sessions."""
    rng = np.random.default_rng(0)
    n = len(test_split)
    is_short = test_split.sessions.lengths[test_split.session_of_target] == 2
    return compared(
        [
            contender("luck", 0.2, np.where(rng.random(n) < 0.5, 1, 99), np.where(rng.random(n) < 0.5, 1, 99)),
            contender("good", 0.9, np.ones(n, np.int64), np.ones(n, np.int64)),
            contender("short", 0.3, np.where(is_short, 1, 99)),
            contender("equal", 0.8, np.ones(n, np.int64)),
        ],
        test_split,
    )


def test_validation_chooses_the_order(comparison: ModelComparison) -> None:
    assert [row.model for row in comparison.rows] == ["good", "equal", "short", "luck"]


def test_means_are_those_over_targets_and_seeds(comparison: ModelComparison, test_split: Examples) -> None:
    luck = comparison.rows[-1]
    means = [luck.spread["Recall@20"].mean, luck.test["Recall@20"].mean]
    assert means[0] == pytest.approx(means[1])
    assert luck.test["Recall@20"].low < means[0] < luck.test["Recall@20"].high
    short = comparison.rows[2].test["Recall@20"].mean
    lengths = test_split.sessions.lengths[test_split.session_of_target]
    assert short == pytest.approx(recall(np.where(lengths == 2, 1, 99), 20).mean())


def test_what_is_ahead_is_told_from_what_is_equal(comparison: ModelComparison) -> None:
    reference, equal, _, luck = comparison.rows
    assert reference.ahead is None
    assert equal.ahead is not None
    assert equal.ahead["Recall@20"].low == equal.ahead["Recall@20"].high == 0
    assert luck.ahead is not None
    assert luck.ahead["Recall@20"].low > 0.3


def test_simultaneous_intervals_are_wider(comparison: ModelComparison, test_split: Examples) -> None:
    ours = comparison.rows[-1]
    alone = compared(
        [
            contender("good", 0.9, np.ones(len(test_split), np.int64)),
            contender("luck", 0.2, np.where(np.random.default_rng(0).random(len(test_split)) < 0.5, 1, 99)),
        ],
        test_split,
    ).rows[-1]
    assert ours.ahead is not None
    assert alone.ahead is not None
    one, several = alone.test["Recall@20"], alone.ahead["Recall@20"]
    assert several.high - several.low == pytest.approx(one.high - one.low)  # a single comparison needs no correction
    wide = ours.ahead["Recall@20"]
    narrow = ours.test["Recall@20"]
    assert wide.high - wide.low > 1.1 * (narrow.high - narrow.low)


def test_by_length_a_model_may_be_as_good(comparison: ModelComparison) -> None:
    short = comparison.rows[2]
    ahead = {each.name: each.ahead["Recall@20"].mean for each in short.by_length if each.ahead}
    assert ahead == {"2": 0.0, "6-10": 1.0}


def test_the_sentences_say_who_is_behind_and_where(comparison: ModelComparison) -> None:
    said = " ".join(sentences(comparison))
    assert "good is the best on validation" in said
    assert "ahead of short and luck in Recall@20" in said
    assert "no evidence of a difference in Recall@20 from equal" in said
    assert "good against short: ahead in sessions of 6-10 events" in said


def test_every_model_is_in_every_form_of_the_report(comparison: ModelComparison) -> None:
    console = Console(width=120, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    print_comparison(comparison, console)
    console.file.close()
    for text in (console.export_text(), markdown(comparison)):
        assert all(row.model in text for row in comparison.rows)
    assert plot_by_length(comparison).startswith(b"\x89PNG")
