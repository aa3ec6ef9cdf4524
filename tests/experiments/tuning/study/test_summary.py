"""What a search leaves behind for machines."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.search_summary import FINALS, SUMMARY, comparison, trial

from experiments.tuning.study.summary import (
    OnBoundary,
    ParetoPoint,
    Summary,
    format_params,
    read_summary,
    write_summary,
)
from narm.errors import InputError

NAN = float("nan")


def written(summary: Summary, path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    write_summary(path / "summary.json", summary)
    content: dict[str, Any] = json.loads((path / "summary.json").read_text(), parse_constant=refuse)
    return content


def test_the_keys_are_exactly_those_documented(tmp_path: Path) -> None:
    content = written(replace(SUMMARY, finals=FINALS), tmp_path)
    assert list(content) == [
        "study", "command", "git_commit", "versions", "seed", "dataset", "objective", "space",
        "trials", "counts", "best", "default", "timing", "finals", "on_boundary", "pareto", "stop_reason", "recipe",
        "constraints", "recommended", "keep",
    ]  # fmt: skip
    assert list(content["dataset"]) == ["name", "fingerprint", "n_sessions", "n_items", "n_targets", "n_valid", "notes"]
    assert list(content["trials"][0]) == [
        "number", "state", "params", "value", "best_epoch", "epochs", "seconds", "mlflow_run_id", "reason", "retries",
        "origin", "infeasible",
    ]  # fmt: skip
    assert content["counts"] == {"complete": 2, "pruned": 1, "failed": 1, "interrupted": 0, "infeasible": 0}
    assert list(content["best"]) == ["number", "params", "valid"]
    assert list(content["default"]) == ["number", "valid"]
    assert list(content["timing"]) == ["wall_s", "training_s", "overhead_s"]
    assert list(content["finals"]) == [
        "winner", "n_targets", "n_sessions", "finalists", "comparisons", "failures", "by_length", "shipping",
        "decided_by", "allocations", "why_enough", "incumbent",
    ]  # fmt: skip
    assert list(content["finals"]["finalists"][0]) == [
        "number", "is_default", "params", "seeds", "epochs", "valid", "test", "estimate",
    ]  # fmt: skip
    assert content["finals"]["finalists"][0]["test"]["recall_at_10"] == {"mean": 0.28, "sd": 0.01}
    assert content["finals"]["by_length"][0] == {
        "name": "2", "n_targets": 400, "n_sessions": 400,
        "winner": {"mean": 0.31, "interval": [0.27, 0.35]}, "default": {"mean": 0.22, "interval": [0.19, 0.25]},
        "lead": {"mean": 0.09, "interval": [0.04, 0.14]},
    }  # fmt: skip
    assert list(content["finals"]["comparisons"][0]) == ["metric", "against", "difference", "low", "high", "seeds"]


def test_what_is_not_known_yet_is_null(tmp_path: Path) -> None:
    content = written(replace(SUMMARY, best=None, default=None), tmp_path)
    assert content["best"] is content["default"] is content["finals"] is content["git_commit"] is None
    assert content["on_boundary"] == content["pareto"] == []


def test_bounds_and_the_pareto_front_are_kept(tmp_path: Path) -> None:
    summary = replace(
        SUMMARY,
        on_boundary=[OnBoundary(name="learning_rate", value=0.01, side="upper")],
        pareto=[ParetoPoint(number=1, values={"MRR@10": 0.3, "n_parameters": 1e5})],
    )
    content = written(summary, tmp_path)
    assert content["on_boundary"] == [{"name": "learning_rate", "value": 0.01, "side": "upper"}]
    assert content["pareto"] == [{"number": 1, "values": {"MRR@10": 0.3, "n_parameters": 1e5}}]


def test_trials_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    content = written(SUMMARY, tmp_path)
    assert [trial["number"] for trial in content["trials"]] == [0, 1, 2, 3]
    assert written(replace(SUMMARY, trials=list(reversed(SUMMARY.trials))), tmp_path) == content


def test_interrupted_trials_are_counted(tmp_path: Path) -> None:
    assert SUMMARY.counts.of([trial(0, "INTERRUPTED", 0.1)]).interrupted == 1


def test_no_figure_breaks_the_json(tmp_path: Path) -> None:
    odd = trial(4, "FAIL", NAN, weird=[float("inf"), {"deep": -float("inf")}])
    [content] = written(replace(SUMMARY, trials=[odd]), tmp_path)["trials"]
    assert content["value"] is None
    assert content["params"]["weird"] == [None, {"deep": None}]


def test_a_failed_write_keeps_the_last_summary(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, SUMMARY)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_summary(path, replace(SUMMARY, space=object()))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    trials = sorted(SUMMARY.trials, key=lambda trial: trial.number)
    front = [ParetoPoint(number=1, values={"MRR@10": 0.3})]
    summary = replace(SUMMARY, trials=trials, finals=FINALS, pareto=front)
    write_summary(path, summary)
    first = path.read_bytes()
    write_summary(path, read_summary(path))
    assert path.read_bytes() == first
    assert read_summary(path).finals is not None


def test_a_summary_from_before_session_lengths_is_read(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    content = written(replace(SUMMARY, finals=FINALS), tmp_path)
    del content["finals"]["by_length"]
    path.write_text(json.dumps(content))
    finals = read_summary(path).finals
    assert finals is not None
    assert finals.by_length == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "summary.json: No such file or directory; python -m experiments.search --resume test"),
        ("{", "summary.json: not the summary of a search: the file: invalid json"),
        ("{}", "summary.json: not the summary of a search: study: field required"),
    ],
)
def test_what_is_no_summary_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "summary.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError) as refused:
        read_summary(path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_finalists_have_the_last_word_on_the_winner() -> None:
    assert SUMMARY.winner == 1
    assert replace(SUMMARY, finals=replace(FINALS, winner=0)).winner == 0
    assert replace(SUMMARY, best=None).winner is None


@pytest.mark.parametrize("interval", [(0.09, 0.05, 0.13), (0.02, -0.01, 0.05), (-0.02, -0.03, -0.01)])
def test_what_is_to_be_shipped_is_what_validation_prefers_whatever_test_says(
    interval: tuple[float, float, float], tmp_path: Path
) -> None:
    finals = replace(FINALS, comparisons=[comparison(0, *interval), comparison(2, 0.03, 0.01, 0.07)])
    assert finals.recommended == finals.shipped.number == 1
    summary = replace(SUMMARY, finals=finals)
    assert summary.recommended == written(summary, tmp_path)["recommended"] == 1


def test_the_default_is_to_be_shipped_if_validation_prefers_it() -> None:
    finals = replace(FINALS, winner=0, finalists=[FINALS.finalists[2], *FINALS.finalists[:2]])
    assert finals.recommended == finals.shipped.number == 0


def test_without_finalists_the_best_trial_is_to_be_shipped() -> None:
    assert (SUMMARY.recommended, replace(SUMMARY, best=None).recommended) == (1, None)


def test_a_summary_from_before_validation_decided_says_what_was_shipped(tmp_path: Path) -> None:
    def read_without(*interval: float) -> Summary:
        content = written(replace(SUMMARY, finals=replace(FINALS, comparisons=[comparison(0, *interval)])), tmp_path)
        del content["recommended"], content["finals"]["decided_by"], content["finals"]["comparisons"][0]["seeds"]
        for each in content["finals"]["by_length"]:
            del each["lead"]
        (tmp_path / "summary.json").write_text(json.dumps(content))
        return read_summary(tmp_path / "summary.json")

    unproven = read_without(0.02, -0.01, 0.05)
    assert unproven.finals is not None
    assert (unproven.winner, unproven.recommended, unproven.finals.shipped.number) == (1, 0, 0)
    assert unproven.finals.comparisons[0].seeds == "left out"
    assert unproven.finals.by_length[0].lead is None
    assert read_without(0.09, 0.05, 0.13).recommended == 1


def test_parameters_are_short() -> None:
    assert format_params({"a": 0.00123456, "b": (0.25, 0.5), "c": "CE"}) == "a=0.001235 b=[0.25, 0.5] c=CE"
