"""What a person sees in a browser after a search: MLflow's pages, and the report."""

from __future__ import annotations

import json
import re
from urllib.parse import quote, urlsplit

import pytest
from mlflow.entities import Run
from playwright.sync_api import expect
from support.small_study import saved

from experiments.reporting.figures.interactive import figures
from experiments.reporting.report.page import study_page

# How its pages look in a narrow or a dark window is MLflow's own affair.
OF_MLFLOW = pytest.mark.parametrize("visit", [("wide", "light")], ids="-".join, indirect=True)


@pytest.fixture(scope="module")
def runs(searched) -> list[Run]:
    return searched.runs()


def of_kind(runs: list[Run], kind: str) -> list[Run]:
    return [run for run in runs if run.data.tags["kind"] == kind]


@OF_MLFLOW
def test_mlflow_shows_the_study_and_its_children(visit, mlflow_ui, searched, runs, request):
    [study] = of_kind(runs, "study")
    page = visit.page
    page.goto(f"{mlflow_ui}/#/experiments/{study.info.experiment_id}/runs")
    expect(page.get_by_text(searched.name, exact=True).first).to_be_visible()
    page.locator(".ag-row").filter(has_text=searched.name).get_by_role("button").first.click()  # the children
    for run in (*of_kind(runs, "trial"), *of_kind(runs, "finalist")):
        expect(page.get_by_text(run.info.run_name, exact=True).first).to_be_visible()
    visit.photograph(f"runs-{request.node.callspec.id}")
    assert_nothing_left_the_machine(visit)


@OF_MLFLOW
def test_the_study_says_its_verdict(visit, mlflow_ui, runs, request):
    [study] = of_kind(runs, "study")
    page = visit.page
    page.goto(f"{mlflow_ui}/#/experiments/{study.info.experiment_id}/runs/{study.info.run_id}")
    expect(page.get_by_role("heading", name=re.compile("^Ship "))).to_be_visible()
    visit.photograph(f"study-{request.node.callspec.id}")
    assert_nothing_left_the_machine(visit)


@OF_MLFLOW
def test_trials_compare_in_parallel_coordinates(visit, mlflow_ui, runs, request):
    trials = of_kind(runs, "trial")
    ids, experiments = ([run.info.run_id for run in trials], [trials[0].info.experiment_id])
    page = visit.page
    query = f"runs={quote(json.dumps(ids))}&experiments={quote(json.dumps(experiments))}"
    page.goto(f"{mlflow_ui}/#/compare-runs?{query}")
    axes = page.locator(".js-plotly-plot .parcoords .axis-title")
    expect(axes.first).to_be_visible()
    assert {"learning_rate", "hidden_size", "best_mrr_at_10"} <= set(axes.all_text_contents())
    visit.photograph(f"compare-{request.node.callspec.id}")
    assert_nothing_left_the_machine(visit)


def test_the_report_draws_its_plots_offline(visit, searched, request):
    report = searched.folder / "report.html"
    assert report.is_file(), "the search has left no report.html"
    page = visit.page
    page.goto(report.as_uri())
    plots = page.locator(".js-plotly-plot")
    expect(plots.first.locator("svg.main-svg").first).to_be_visible()
    for index in range(plots.count()):
        plots.nth(index).scroll_into_view_if_needed()
        expect(plots.nth(index).locator("svg.main-svg").first).to_be_attached()
    page.evaluate("scrollTo(0, 0)")
    visit.photograph(f"report-{request.node.callspec.id}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it is wider than the window"
    assert visit.errors == []
    assert_nothing_left_the_machine(visit)


def test_captions_of_tables_are_whole_wherever_the_table_is_scrolled_to(visit, tmp_path, request):
    study = saved(tmp_path / "my-study")
    (tmp_path / "report.html").write_text(study_page(study, figures(study.study, study.summary)), encoding="utf-8")
    page = visit.page
    page.goto((tmp_path / "report.html").as_uri())
    box = page.get_by_role("group", name="Rungs", exact=True)
    box.evaluate("box => { box.querySelector('table').style.width = '1500px'; }")  # as if it had many columns
    for scrolled in (0, 300):
        box.evaluate("(box, scrolled) => { box.scrollLeft = scrolled; }", scrolled)
        assert box.evaluate("box => box.scrollLeft") == scrolled
        seen, caption = box.bounding_box(), box.locator("caption").bounding_box()
        assert seen["x"] <= caption["x"]
        assert caption["x"] + caption["width"] <= seen["x"] + seen["width"]
    visit.photograph(f"rungs-{request.node.callspec.id}")


def assert_nothing_left_the_machine(visit) -> None:
    """Whatever the page asked for, in vain or not."""
    urls = map(urlsplit, visit.requests)
    assert {url.hostname or url.scheme for url in urls} <= {"127.0.0.1", "file", "data", "blob"}
