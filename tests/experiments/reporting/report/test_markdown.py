"""The report for a pull request."""

from dataclasses import replace
from pathlib import Path

from support.search_summary import FINALS, KEPT, SHIPPING, finalist
from support.small_study import saved

from experiments.reporting.report.markdown import study_markdown


def test_the_answer_the_finalists_and_the_best_trials(tmp_path: Path) -> None:
    lines = study_markdown(saved(tmp_path / "my-study")).splitlines()
    assert lines[0] == "## Ship trial 1: better than the default configuration, Recall@10 +0.0900 (+47%) on test."
    assert "NARM on synthetic, study `my-study`: " in lines[2]
    table = lines.index("| finalist | validation Recall@10 | test Recall@10 |")
    assert lines[table + 2] == "| **1** | 0.2800 ± 0.0100 | 0.2800 ± 0.0100 |"
    assert lines[table + 4] == "| 0 (default) | 0.1900 ± 0.0100 | 0.1900 ± 0.0100 |"
    trials = lines.index("| trial | validation Recall@10 | epochs | parameters |")
    assert lines[trials + 2].startswith("| 1 | ")
    assert lines[trials + 2].endswith("` (winner) |")
    assert lines[trials + 7 : trials + 9] == ["", "8 more trials."][:2]
    assert any(line.startswith("What decided (PED-ANOVA): learning_rate ") for line in lines)


def test_the_models_that_could_ship(tmp_path: Path) -> None:
    lines = study_markdown(saved(tmp_path / "my-study", finals=replace(FINALS, shipping=SHIPPING))).splitlines()
    table = lines.index("| The model to ship, of trial 1 | validation Recall@10 | test Recall@10 | MB | ms |")
    assert lines[table + 3] == "| the best on validation | 0.2900 | 0.2750 | 0.812 | 0.432 |"
    assert lines[table + 4] == "| **bag of 3 runs** | 0.3100 | 0.3050 | 2.44 | 1.1 |"
    assert lines[table + 6].startswith("MB of weights; milliseconds a request")


def test_the_finalists_by_session_length(tmp_path: Path) -> None:
    lines = study_markdown(saved(tmp_path / "my-study")).splitlines()
    table = lines.index("| events of the session | test targets | trial 1, winner | trial 0, default | difference |")
    assert lines[table + 1 : table + 5] == [
        "| ---: | ---: | ---: | ---: | ---: |",
        r"| 2 | 400 | 0.3100 \[0.2700, 0.3500\] | 0.2200 \[0.1900, 0.2500\] | +0.0900 \[+0.0400, +0.1400\] |",
        "| 3 | 16 | 0.2500 | 0.1500 | +0.1000 |",
        "",
    ]
    assert lines[table + 5].startswith("Test Recall@10 by session length, means over the seeds.")
    assert "hold together" not in lines[table + 6]  # a single class has an interval


def test_intervals_of_several_session_lengths_hold_together(tmp_path: Path) -> None:
    finals = replace(FINALS, by_length=[FINALS.by_length[0]] * 2)
    text = study_markdown(saved(tmp_path / "s", finals=finals))
    assert "Those of the difference, which is paired, hold together for all 2 classes (Bonferroni)." in text


def test_a_default_that_wins_stands_alone_by_session_length(tmp_path: Path) -> None:
    alone = [replace(each, default=None, lead=None) for each in FINALS.by_length]
    finals = replace(FINALS, winner=0, finalists=[finalist(0, 0.3, default=True)], comparisons=[], by_length=alone)
    text = study_markdown(saved(tmp_path / "s", finals=finals))
    assert "| events of the session | test targets | trial 0, the default configuration |\n" in text
    assert "difference" not in text


def test_a_search_of_a_version_that_did_not_tell_sessions_apart(tmp_path: Path) -> None:
    text = study_markdown(saved(tmp_path / "s", finals=replace(FINALS, by_length=())))
    assert "| finalist | " in text
    assert "session length" not in text


def test_a_search_without_finalists_or_result_is_told(tmp_path: Path) -> None:
    text = study_markdown(saved(tmp_path / "s", [], finals=None, default=None))
    assert text.startswith("## No winner: no trial has a result.\n")
    assert "finalist |" not in text


def test_what_markdown_would_read_is_escaped(tmp_path: Path) -> None:
    text = study_markdown(saved(tmp_path / "s"))
    assert r"MemoryError: \<out\> of & memory" in text
    assert r"\[+0.0500, +0.1300\]" in text


def test_the_model_that_a_person_has_stands_below_the_finalists(tmp_path: Path) -> None:
    lines = study_markdown(saved(tmp_path / "my-study", finals=replace(FINALS, incumbent=KEPT))).splitlines()
    assert lines[0] == "## Keep prod.pt: trial 1 is no better on validation, Recall@10 0.2800 against 0.3000."
    table = lines.index("| finalist | validation Recall@10 | test Recall@10 |")
    assert lines[table + 5] == "| **prod.pt** | 0.3000 | 0.2000 |"
    assert lines[table + 7] == "Mean ± standard deviation over 3 seeds each; prod.pt is one model."
