"""What a search leaves behind for machines, and for people."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from experiments.report import print_summary
from experiments.summary import (
    Best,
    Counts,
    DatasetSummary,
    Default,
    Summary,
    Timing,
    TrialSummary,
    write_summary,
)

NAN = float("nan")


def trial(number: int, state: Any, value: float | None, **params: object) -> TrialSummary:
    return TrialSummary(
        number=number,
        state=state,
        params={"learning_rate": 0.001 * (number + 1), "dropout_probs": (0.25, 0.5), **params},
        value=value,
        best_epoch=None if value is None else 3,
        epochs=12,
        seconds=31.4,
        mlflow_run_id=None,
    )


@pytest.fixture
def summary() -> Summary:
    trials = [
        trial(2, "PRUNED", 0.02),
        trial(0, "COMPLETE", 0.20),
        trial(1, "COMPLETE", 0.30),
        trial(3, "FAIL", None),
    ]
    return Summary(
        study="my-study",
        command="python -m experiments.search",
        git_commit=None,
        versions={"torch": "2.13.0", "ray": None},
        seed=7,
        dataset=DatasetSummary(name="synthetic", fingerprint="f00", n_sessions=10, n_items=20, n_targets=90),
        objective="Recall@10",
        space={"learning_rate": {"type": "float", "low": 0.001}},
        trials=trials,
        counts=Counts.of(trials),
        best=Best(number=1, params=trials[2].params, valid={"recall_at_10": 0.30}),
        default=Default(number=0, valid={"recall_at_10": 0.20}),
        timing=Timing(wall_s=100.0, training_s=150.0, overhead_s=50.0),
    )


def read(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    content: dict[str, Any] = json.loads(path.read_text(), parse_constant=refuse)
    return content


def printed(summary: Summary, width: int = 100, n_valid: int = 900, where: Mapping[str, str] | None = None) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_summary(summary, console, n_valid=n_valid, where=where or {})
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def prose(summary: Summary, n_valid: int = 900) -> str:
    """The sentences, unbroken."""
    return printed(summary, width=1000, n_valid=n_valid)


def test_the_keys_are_exactly_those_documented(summary: Summary, tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", summary)
    content = read(tmp_path / "summary.json")
    assert list(content) == [
        "study", "command", "git_commit", "versions", "seed", "dataset", "objective", "space",
        "trials", "counts", "best", "default", "timing", "finals", "on_boundary", "pareto", "stop_reason",
    ]  # fmt: skip
    assert list(content["dataset"]) == ["name", "fingerprint", "n_sessions", "n_items", "n_targets"]
    assert list(content["trials"][0]) == [
        "number", "state", "params", "value", "best_epoch", "epochs", "seconds", "mlflow_run_id", "reason",
        "retries",
    ]  # fmt: skip
    assert content["counts"] == {"complete": 2, "pruned": 1, "failed": 1, "interrupted": 0}
    assert list(content["best"]) == ["number", "params", "valid"]
    assert list(content["default"]) == ["number", "valid"]
    assert list(content["timing"]) == ["wall_s", "training_s", "overhead_s"]


def test_what_is_not_known_yet_is_null(summary: Summary, tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", replace(summary, best=None, default=None))
    content = read(tmp_path / "summary.json")
    assert content["best"] is content["default"] is content["finals"] is content["git_commit"] is None


def test_trials_stand_in_the_order_of_their_numbers(summary: Summary, tmp_path: Path) -> None:
    write_summary(tmp_path / "a.json", summary)
    write_summary(tmp_path / "b.json", replace(summary, trials=list(reversed(summary.trials))))
    assert [trial["number"] for trial in read(tmp_path / "a.json")["trials"]] == [0, 1, 2, 3]
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_no_figure_breaks_the_json(summary: Summary, tmp_path: Path) -> None:
    odd = trial(4, "FAIL", NAN, weird=[float("inf"), {"deep": -float("inf")}])
    write_summary(tmp_path / "summary.json", replace(summary, trials=[odd]))
    [content] = read(tmp_path / "summary.json")["trials"]
    assert content["value"] is None
    assert content["params"]["weird"] == [None, {"deep": None}]


def test_a_failed_write_keeps_the_last_summary(summary: Summary, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, summary)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_summary(path, replace(summary, space=object()))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_table_goes_from_the_winner_down(summary: Summary) -> None:
    shown = printed(summary)
    rows = [shown.index(f"learning_rate=0.00{number + 1}") for number in (1, 0, 2, 3)]
    assert rows == sorted(rows)
    assert "my-study: 2 complete, 1 pruned, 1 failed" in shown
    winner = next(line for line in shown.splitlines() if "learning_rate=0.002" in line)
    assert winner.split()[:4] == ["1", "0.3000", "3/12", "31"]
    assert "(winner)" in shown
    assert "(default)" in shown


def test_a_winner_that_was_cut_short_stands_first(summary: Summary) -> None:
    cut = trial(9, "PRUNED", 0.4)
    best = Best(number=9, params=cut.params, valid={"recall_at_10": 0.4})
    lines = prose(replace(summary, trials=[*summary.trials, cut], best=best)).splitlines()
    assert next(line for line in lines if "learning_rate" in line).rstrip().endswith("(winner) (pruned)")


def test_many_trials_are_cut(summary: Summary) -> None:
    many = [trial(number, "COMPLETE", 0.1 + number / 1000) for number in range(50)]
    assert printed(replace(summary, trials=many)).count("learning_rate=") == 10


def test_a_better_winner_is_called_better_by_how_much(summary: Summary) -> None:
    shown = prose(summary)
    assert "Winner: trial 1, validation Recall@10 0.3000" in shown
    assert "Better than the default configuration (0.2000) by 0.1000 (+50.0%)." in shown
    # sqrt(0.3 * 0.7 / 900)
    assert "One validation split of 900 targets: the standard error of a value is 0.0153 at most" in shown


def test_a_small_gain_is_doubted(summary: Summary) -> None:
    assert "less than two standard errors: it may be chance" in prose(summary, n_valid=50)
    assert "may be chance" not in prose(summary, n_valid=900)


@pytest.mark.parametrize("value", [0.30, 0.31])
def test_a_winner_that_is_no_better_is_called_so(summary: Summary, value: float) -> None:
    shown = prose(replace(summary, default=Default(number=0, valid={"recall_at_10": value})))
    assert f"No better than the default configuration ({value:.4f})." in shown
    assert "Better" not in shown


def test_a_default_of_zero_has_no_relative_gain(summary: Summary) -> None:
    shown = prose(replace(summary, default=Default(number=0, valid={"recall_at_10": 0.0})))
    assert "Better than the default configuration (0.0000) by 0.3000." in shown


def test_a_search_without_a_result_says_so(summary: Summary) -> None:
    trials = [trial(0, "FAIL", NAN), trial(1, "FAIL", None)]
    shown = printed(replace(summary, trials=trials, counts=Counts.of(trials), best=None, default=None))
    assert "No trial has a result: there is no winner." in shown
    assert "nan" not in shown


def test_a_command_can_be_pasted_from_a_narrow_terminal(summary: Summary) -> None:
    command = "mlflow ui --backend-store-uri sqlite:////a/very/long/path/[to]/the/database/mlflow.db"
    assert f"MLflow: {command}\n" in printed(summary, width=40, where={"MLflow": command})


@pytest.mark.parametrize("width", [40, 60, 80])
def test_values_are_whole_on_a_narrow_terminal(summary: Summary, width: int) -> None:
    shown = printed(summary, width=width)
    assert "0.3000" in shown
    assert "Recall@10" in shown
    assert max(map(len, shown.splitlines())) <= width
