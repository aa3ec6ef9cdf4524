"""Two searches side by side."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from support.search_summary import FINALS, finalist
from support.small_study import RECORD, SPACE, saved, search

from experiments.reporting.study_comparison.comparison import compare_studies
from experiments.reporting.study_comparison.console import print_comparison
from experiments.reporting.study_comparison.page import comparison_page
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.config import Config
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets

CONFIG = Config.from_flat(RECORD["config"])


@pytest.fixture(scope="module")
def splits() -> Splits:
    return load_splits(CONFIG.data)


@pytest.fixture
def make(tmp_path: Path, splits: Splits) -> Callable[..., SavedStudy]:
    """Makes a study whose winner, trial 1, ranks every test target so; without a rank it leaves no ranks."""

    def make(
        name: str,
        rank: int | None = None,
        *,
        seeds: int = 2,
        judged_by: Config = CONFIG,
        n_targets: int = len(splits.test),
        **record: Any,
    ) -> SavedStudy:
        winner = replace(finalist(1, 0.3, seeds=seeds), params={"learning_rate": 0.003, "hidden_size": 32})
        study = saved(tmp_path / name, search(8), finals=replace(FINALS, finalists=[winner], comparisons=[]))
        dataset = replace(study.summary.dataset, fingerprint=splits.fingerprint)
        for seed in winner.seeds if rank else ():
            run = FinalistRun(
                finalist=Finalist(number=1, options=winner.params), seed=seed, epochs=4, best_epoch=3, seconds=1.0,
                valid={}, test={}, ranks=np.full(n_targets, rank),
            )  # fmt: skip
            FinalistRuns(study.folder / "finalists", judged_by, splits.fingerprint).write(run)
        return replace(
            study,
            record=RECORD | {"config": judged_by.flat()} | record,
            summary=replace(study.summary, dataset=dataset),
        )

    return make


def printed(first: SavedStudy, second: SavedStudy) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_comparison(compare_studies(first, second), console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(" ".join(line.split()) for line in console.file.getvalue().splitlines())


def test_winners_are_compared_on_the_same_test_targets(make: Callable[..., SavedStudy]) -> None:
    compared = compare_studies(make("a", 1), make("b", 20))
    [recall] = compared.winners
    assert (recall.metric, recall.difference, recall.low, recall.high) == ("Recall@10", 1.0, 1.0, 1.0)
    assert compared.verdict.startswith("The winner of a is better than the winner of b: Recall@10 +1.0000 [+1.0000, ")
    assert not compared.notes


def test_winners_that_were_judged_on_the_last_targets_alone_are_compared_on_these(
    make: Callable[..., SavedStudy], splits: Splits
) -> None:
    last = CONFIG.replace({"eval_targets": "last"})
    n_targets = len(chosen_targets(splits.test, last.evaluation))
    studies = [make(name, rank, judged_by=last, n_targets=n_targets) for name, rank in (("a", 1), ("b", 20))]
    compared = compare_studies(*studies)
    assert compared.winners[0].difference == 1.0
    assert not compared.notes
    [note] = compare_studies(studies[0], make("c", 20)).notes
    assert note == "The winners are not compared on test: eval_targets is last in 'a', all in 'c'"


def test_the_order_turns_the_sign_and_not_the_verdict(make: Callable[..., SavedStudy]) -> None:
    compared = compare_studies(make("a", 20), make("b", 1))
    assert compared.winners[0].difference == -1.0
    assert compared.verdict.startswith("The winner of b is better than the winner of a: Recall@10 -1.0000 ")


def test_equal_winners_are_not_told_apart(make: Callable[..., SavedStudy]) -> None:
    assert compare_studies(make("a", 3), make("b", 3)).verdict.startswith(
        "No evidence that either winner is better: Recall@10 +0.0000"
    )


def test_winners_without_ranks_or_finalists_are_not_compared_and_why_is_told(make: Callable[..., SavedStudy]) -> None:
    compared = compare_studies(make("a", 1), make("b"))
    assert compared.winners == []
    assert compared.verdict == "Which winner is better cannot be told from these searches."
    assert compared.notes[0].endswith("the ranks of trial 1, seed 0, are not there")
    second = make("c")
    without = replace(second, summary=replace(second.summary, finals=None))
    assert compare_studies(make("d", 1), without).notes == [
        "The winners are not compared on test: 'c' has no finalists"
    ]


def test_other_data_are_refused(make: Callable[..., SavedStudy]) -> None:
    first, second = make("a"), make("b")
    dataset = replace(second.summary.dataset, fingerprint="beef")
    other = replace(second, summary=replace(second.summary, dataset=dataset))
    with pytest.raises(InputError, match="are of other data: their values do not compare"):
        compare_studies(first, other)


def test_data_that_changed_since_are_told(make: Callable[..., SavedStudy]) -> None:
    changed = [
        replace(study, summary=replace(study.summary, dataset=replace(study.summary.dataset, fingerprint="old")))
        for study in (make("a", 1), make("b", 1))
    ]
    assert "is not what it was when 'a' was searched" in compare_studies(*changed).notes[0]


def test_a_study_is_not_compared_with_itself(make: Callable[..., SavedStudy]) -> None:
    study = make("a")
    with pytest.raises(InputError, match="'a' is compared with itself"):
        compare_studies(study, study)


def test_other_objectives_are_told(make: Callable[..., SavedStudy]) -> None:
    compared = compare_studies(make("a", 1), make("b", 2, objectives="MRR@10"))
    assert compared.notes == ["The objectives differ, Recall@10 and MRR@10: each search chose by its own."]


def test_what_differs_stands_side_by_side(make: Callable[..., SavedStudy]) -> None:
    space = {"name": "mine", "file": "mine.yaml", "source": SPACE.replace("[16, 32]", "[16, 32, 64]")}
    config = Config.from_flat({**RECORD["config"], "n_layers": 2}).flat()
    first = make("a", 1)
    second = make("b", 1, space=space, sampler="random", config=config)
    compared = compare_studies(first, second)
    assert compared.space == {"hidden_size": ("16, 32", "16, 32, 64")}
    assert compared.same_space == 1
    assert compared.options == {"n_layers": ("1", "2")}
    shown = printed(first, second)
    assert "sampler tpe random" in shown
    assert "hidden_size 16, 32 16, 32, 64" in shown
    assert "winner, test Recall@10 0.3000 ± 0.0100 0.3000 ± 0.0100" in shown


def test_a_narrow_console_breaks_no_name(make: Callable[..., SavedStudy]) -> None:
    names = [f"ml-100k-recbole-20260102-03040{i}-and-some-more-words" for i in (1, 2)]
    console = Console(file=io.StringIO(), width=80, record=True)
    print_comparison(compare_studies(make(names[0], 1), make(names[1], 2)), console)
    lines = [line.strip() for line in console.export_text().splitlines()]
    assert f"A: {names[0]}" in lines
    assert f"B: {names[1]}" in lines
    assert sum(line.split() == ["A", "B"] for line in lines) >= 1


def test_the_page_overlays_the_histories(make: Callable[..., SavedStudy]) -> None:
    html = comparison_page(compare_studies(make("a", 1), make("b", 20)))
    assert "<h1>The winner of a is better than the winner of b" in html
    assert "Best Value of a" in html
    assert "Best Value of b" in html


def test_histories_of_other_objectives_are_not_overlaid(make: Callable[..., SavedStudy]) -> None:
    second = make("b", 2, objectives="MRR@10")
    other = replace(second, summary=replace(second.summary, objective="MRR@10"))
    assert "Best Value of a" not in comparison_page(compare_studies(make("a", 1), other))
