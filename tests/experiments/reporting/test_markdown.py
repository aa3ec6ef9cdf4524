"""The report for a pull request."""

from pathlib import Path

from small_study import saved

from experiments.reporting.markdown import study_markdown


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


def test_a_search_without_finalists_or_result_is_told(tmp_path: Path) -> None:
    text = study_markdown(saved(tmp_path / "s", [], finals=None, default=None))
    assert text.startswith("## No winner: no trial has a result.\n")
    assert "finalist |" not in text


def test_what_markdown_would_read_is_escaped(tmp_path: Path) -> None:
    text = study_markdown(saved(tmp_path / "s"))
    assert r"MemoryError: \<out\> of & memory" in text
    assert r"\[+0.0500, +0.1300\]" in text
