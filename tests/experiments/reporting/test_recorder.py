"""What is written when a search ends."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.search_summary import FINALS, KEPT, comparison
from support.small_study import search, study_of

from experiments.cli.search_arguments import build_spec
from experiments.cli.search_parser import build_parser
from experiments.reporting.display import Display
from experiments.reporting.progress import Progress
from experiments.reporting.recorder import Recorder
from experiments.reporting.report import publish
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.spec import StudySpec
from narm.config_file import OptionsFile
from narm.data.sessions import Splits

pytestmark = pytest.mark.slow


class Tracker:
    """Keeps what it is told at the end."""

    def __init__(self) -> None:
        self.ended: dict[str, Any] = {}

    def run_id(self, number: int) -> str | None:
        return f"run-{number}"

    def log_system(self, metrics: dict[str, float]) -> None: ...

    def end_study(self, **told: Any) -> None:
        self.ended = told


@pytest.fixture
def spec(tmp_path: Path) -> StudySpec:
    arguments = ["--preset", "smoke", "--study", "s", "--objective", "Recall@10", "--output", str(tmp_path)]
    return build_spec(build_parser().parse_args(arguments), OptionsFile())


@pytest.fixture
def tracker() -> Tracker:
    return Tracker()


@pytest.fixture
def recorder(spec: StudySpec, ring_splits: Splits, tracker: Tracker) -> Recorder:
    progress = Progress(4, spec.objective, most_epochs=12, display=Display(quiet=True))
    return Recorder(spec, Dataset.of(ring_splits, spec.config), study_of(search(), name="s"), tracker, progress)  # type: ignore[arg-type]


def test_the_report_and_its_figures_go_to_mlflow(recorder: Recorder, tracker: Tracker, spec: StudySpec) -> None:
    recorder.end("FINISHED", "all trials done", None, None)
    files = tracker.ended["files"]
    assert {"report.html", "figures/learning_curves.png", "figures/importances.png"} <= files.keys()
    assert files["report.html"] == spec.folder / "report.html"
    assert all(path.stat().st_size > 1000 for path in files.values())


def test_mlflow_has_the_model_that_validation_prefers_whatever_test_says(
    recorder: Recorder, tracker: Tracker, spec: StudySpec
) -> None:
    spec.folder.mkdir(parents=True)
    (spec.folder / "model.pt").write_bytes(b"weights")
    finals = replace(FINALS, comparisons=[comparison(0, -0.02, -0.03, -0.01)])
    recorder.end("FINISHED", "all trials done", finals, spec.folder / "model.pt")
    tags = tracker.ended["tags"]
    assert (tags["winner"], tags["recommended"]) == ("1", "1")
    assert tracker.ended["registration"].trial == "1"
    assert tracker.ended["metrics"]["test_recall_at_10"] == 0.28


def test_a_report_that_fails_is_one_line_and_the_search_ends_well(
    recorder: Recorder, tracker: Tracker, spec: StudySpec, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fail(*_: object) -> None:
        raise RuntimeError("no font\nof this name")

    monkeypatch.setattr(publish, "publish", fail)
    spec.folder.mkdir(parents=True)
    (spec.folder / "model.pt").write_bytes(b"weights")
    with caplog.at_level(logging.WARNING):
        recorder.end("FINISHED", "all trials done", None, spec.folder / "model.pt")
    assert [record.getMessage() for record in caplog.records] == [f"{spec.folder}: there is no report: no font"]
    assert tracker.ended["files"] == {"winner/model.pt": spec.folder / "winner.pt"}
    assert json.loads((spec.folder / "summary.json").read_text())["stop_reason"] == "all trials done"


def test_a_model_that_is_kept_is_said_to_be_and_not_registered(
    recorder: Recorder, tracker: Tracker, spec: StudySpec
) -> None:
    spec.folder.mkdir(parents=True)
    (spec.folder / "incumbent.pt").write_bytes(b"weights")
    recorder.end("FINISHED", "done", replace(FINALS, incumbent=KEPT), spec.folder / "incumbent.pt")
    tags = tracker.ended["tags"]
    assert (tags["winner"], tags["recommended"]) == ("1", "keep prod.pt")
    assert tracker.ended["registration"] is None
    assert (spec.folder / "winner.pt").read_bytes() == b"weights"
    content = json.loads((spec.folder / "summary.json").read_text())
    assert (content["recommended"], content["keep"]) == (None, "prod.pt")
