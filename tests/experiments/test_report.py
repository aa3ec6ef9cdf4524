"""`report` and `compare-studies`: where they look, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.small_study import RECORD, search, study_of, summary_of

from experiments import report
from experiments.cli.commands import COMMANDS
from experiments.cli.exit_status import EXIT_USAGE
from experiments.cli.running import run_command
from experiments.tuning.study import trial_attributes
from experiments.tuning.study.database import open_storage
from experiments.tuning.study.storage import storage_in
from experiments.tuning.study.summary import write_summary


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with one study."""
    output = tmp_path_factory.mktemp("runs")
    study = study_of(search(), storage=open_storage(storage_in(output)))
    study.set_user_attr(trial_attributes.SPEC, RECORD)
    write_summary(output / "my-study" / "summary.json", summary_of(study))
    return output


def test_the_report_goes_into_the_folder_of_the_study(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(report.main, ["my-study", "--output", str(runs)]) == 0
    page = runs / "my-study" / "report.html"
    assert "<h1>Ship trial 1: " in page.read_text()
    assert capsys.readouterr() == ("", f"report: {page}\n")


def test_a_study_may_be_named_by_its_folder(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(report.main, [f"{runs}/my-study/"]) == 0
    assert capsys.readouterr() == ("", f"report: {runs / 'my-study' / 'report.html'}\n")


def test_markdown_is_printed_alone(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run_command(report.main, ["my-study", "--output", str(runs), "--html", str(page), "--markdown", "-"]) == 0
    assert page.exists()
    assert capsys.readouterr().out.startswith("## Ship trial 1: ")


def test_markdown_is_written(runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    assert run_command(report.main, ["my-study", "--output", str(runs), "--markdown", str(path)]) == 0
    assert path.read_text().startswith("## Ship trial 1: ")


@pytest.mark.parametrize("command", [report.main, COMMANDS["compare-studies"].main])
def test_an_unknown_study_is_one_line(command, runs, capsys):
    arguments = ["my-studdy"] if command is report.main else ["my-studdy", "my-study"]
    assert run_command(command, [*arguments, "--output", str(runs)]) == EXIT_USAGE
    known = f"error: study: there is no 'my-studdy' in {storage_in(runs)}; did you mean 'my-study'?\n"
    assert capsys.readouterr().err == known


def test_a_folder_without_studies_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(report.main, ["my-study", "--output", str(tmp_path)]) == EXIT_USAGE
    assert "has no studies.db: name the folder of your studies, or their --storage" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_study_is_compared_by_name_or_folder(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["my-study", str(runs / "my-study"), "--output", str(runs)]
    assert run_command(COMMANDS["compare-studies"].main, arguments) == EXIT_USAGE
    assert capsys.readouterr().err == "error: compare: 'my-study' is compared with itself: name another study\n"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset", "clicks.csv"], "error: --dataset: only --recompute reads the data\n"),
        (
            ["--recompute"],
            "error: synthetic is not what it was when 'my-study' was searched: other sessions or items\n",
        ),
        (["--recompute", "--dataset", "gone.csv"], "error: gone.csv: "),
    ],
)
def test_a_verdict_that_cannot_be_recomputed_is_one_line(flags, message, runs, capsys):
    assert run_command(report.main, ["my-study", "--output", str(runs), *flags]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert said.startswith(message)
    assert said.count("\n") == 1
