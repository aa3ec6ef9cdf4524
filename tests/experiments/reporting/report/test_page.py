"""The page: whole, self-contained, and safe with whatever a study holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.search_summary import FINALS, KEPT, SHIPPING, comparison, finalist
from support.small_study import saved

from experiments.reporting.figures.interactive import figures
from experiments.reporting.figures.material import Drawings
from experiments.reporting.report.intervals import final_intervals, length_intervals
from experiments.reporting.report.page import study_page
from experiments.tuning.study.job_log import JobTimes
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.summary import Allocation, OnBoundary, ParetoPoint

VOID = {"meta", "input", "br", "img", "link"}


class Page(HTMLParser):
    """A parsed page: every element with its attributes, its text by element, and whether it is well formed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def prose(self) -> str:
        return " ".join(text for tag, text in self.texts if tag not in ("script", "style"))


def html_of(study: SavedStudy) -> str:
    return study_page(study, figures(study.study, study.summary))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SavedStudy:
    return saved(tmp_path_factory.mktemp("runs") / "my-study")


@pytest.fixture(scope="module")
def html(study: SavedStudy) -> str:
    return html_of(study)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_answer_comes_first(page: Page) -> None:
    headings = [text for tag, text in page.texts if tag in ("h1", "h2")]
    assert headings == [
        "Ship trial 1: better than the default configuration, Recall@10 +0.0900 (+47%) on test.",
        "Why", "Trials", "Everything",
    ]  # fmt: skip


def test_nothing_is_fetched(page: Page) -> None:
    assert not page.all("link")
    assert not page.all("img")
    assert all("src" not in script for script in page.all("script"))
    assert all(str(link["href"]).startswith("#") for link in page.all("a"))
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert str(policy).startswith("default-src 'none'; ")
    assert "http" not in str(policy)


def test_plotly_is_there_once(html: str) -> None:
    assert len(html) < 6_000_000
    assert len(re.findall(r"plotly\.js v\d", html)) == 1


def test_every_plot_has_its_figure_and_a_name_for_those_who_cannot_see_it(page: Page, html: str) -> None:
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    plots = [attributes for attributes in page.all("div") if "plot" in str(attributes.get("class", "")).split()]
    assert len(plots) == 10
    for plot in plots:
        assert plot["role"] == "img"
        assert plot["aria-labelledby"] in ids
        [content] = re.findall(rf'id="{plot["id"]}-data">(.*?)</script>', html)
        assert json.loads(content)["data"]


def test_links_lead_somewhere(page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {str(link["href"])[1:] for link in page.all("a")} <= ids


def test_every_trial_has_a_row_that_sorts(study: SavedStudy, html: str) -> None:
    body = html[html.index('<table id="trials">') :]
    body = body[: body.index("</table>")]
    assert body.count("<tr data-state=") == len(study.summary.trials)
    assert '<td data-name="value" data-sort="0.2000">0.2000</td>' in body
    assert body.count('class="chosen"') == 1
    assert '<td data-name="hidden_size" data-sort="32">32</td>' in body


def test_what_a_study_holds_is_shown_and_not_run(html: str, page: Page) -> None:
    assert "MemoryError: <out> of & memory" in page.prose
    assert "<out>" not in html
    assert "/secret" not in html


def test_commands_can_be_pasted(page: Page, study: SavedStudy) -> None:
    commands = [text for tag, text in page.texts if tag == "pre"]
    output = study.folder.parent
    assert f"python -m experiments.search --resume my-study --output {output} --trials 26" in commands
    assert f"optuna-dashboard sqlite:///{output}/studies.db" in commands
    assert "mlflow ui --backend-store-uri sqlite:////tmp/mlflow.db" in commands
    [train] = {command for command in commands if "experiments.train" in command}
    assert "--dataset synthetic" in train
    assert "--hidden_size 32" in train


@pytest.mark.parametrize(
    "changes",
    [
        {"finals": None},
        {"finals": None, "best": None, "default": None, "trials": []},
        {"finals": replace(FINALS, finalists=[finalist(1, 0.3, seeds=1)], comparisons=[])},
        {"on_boundary": [OnBoundary(name="learning_rate", value=0.01, side="upper")]},
        {"pareto": [ParetoPoint(number=1, values={"Recall@10": 0.3, "n_parameters": 12.0})]},
    ],
)
def test_a_study_that_lacks_something_has_a_page_too(tmp_path: Path, changes: dict[str, Any]) -> None:
    Page(html_of(saved(tmp_path / "s", **changes)))


def test_what_ships_stands_beside_what_could(tmp_path: Path) -> None:
    page = Page(html_of(saved(tmp_path / "s", finals=replace(FINALS, shipping=SHIPPING))))
    assert "The model to ship, of trial 1" in page.prose
    names = [text for tag, text in page.texts if tag == "th" and "run" in text]
    assert names == ["mean of 3 runs", "bag of 3 runs"]
    assert "0.3050" in page.prose


def test_a_bag_that_would_be_one_run_is_told(tmp_path: Path) -> None:
    shipping = replace(SHIPPING, bag=None, why_no_bag="nothing is random in s_knn")
    page = Page(html_of(saved(tmp_path / "s", finals=replace(FINALS, shipping=shipping))))
    assert "No bag: nothing is random in s_knn." in page.prose


def test_a_study_without_trials_has_a_page(tmp_path: Path) -> None:
    page = Page(html_of(saved(tmp_path / "s", [], finals=None, default=None)))
    assert "No winner: no trial has a result." in page.prose
    assert "No trial has begun." in page.prose
    assert "Figures that this study has nothing for" in page.prose


def test_no_password_is_on_the_page(tmp_path: Path) -> None:
    study = replace(saved(tmp_path / "s"), storage="postgresql://me:hunter2@db/narm")
    html = html_of(study)
    assert "hunter2" not in html
    assert "postgresql://***@db/narm" in html


def test_intervals_share_an_axis_that_holds_zero() -> None:
    finals = replace(FINALS, comparisons=[comparison(0, 0.09, 0.05, 0.13), comparison(2, 0.03, -0.01, 0.07)])
    better, undecided = final_intervals(finals)
    assert (better.comparison.meaning, undecided.comparison.meaning) == ("better", "undecided")
    assert (better.label, undecided.label) == ("Recall@10 against the default", "Recall@10 against trial 2")
    assert better.zero == undecided.zero
    assert 0 < undecided.low < undecided.zero < undecided.middle < better.low < better.high < 100
    [worse] = final_intervals(replace(FINALS, comparisons=[comparison(0, -0.2, -0.3, -0.1)]))
    assert worse.comparison.meaning == "worse"


def test_by_session_length_paired_differences_are_drawn_where_there_are_sessions_enough(page: Page) -> None:
    [drawn] = length_intervals(FINALS, "Recall@10")
    assert (drawn.label, drawn.comparison.difference, drawn.comparison.low) == ("2 events", 0.09, 0.04)
    assert "The winner, trial 1, against the default by session length" in page.prose
    assert "2 events" in [text for tag, text in page.texts if tag == "span"]
    untold = replace(FINALS, by_length=[replace(each, lead=None) for each in FINALS.by_length])
    assert length_intervals(untold, "Recall@10") == []


def test_a_timeline_says_whose_it_is(study: SavedStudy, page: Page) -> None:
    assert "Timeline of the trials" in page.prose
    assert "Timeline of the workers" not in page.prose
    jobs = [JobTimes(0, 100.0, is_first=True, reports=[(110.0, 5.0)], epochs=[1])]
    known = Page(study_page(study, figures(study.study, study.summary, jobs)))
    assert "Timeline of the workers" in known.prose
    assert "Timeline of the trials" not in known.prose


def test_what_the_finalists_are_stands_above_what_scrolls(html: str) -> None:
    assert html.index("Trained again with new seeds: mean ± standard deviation over 3 seeds") < html.index(
        'aria-label="Finalists"'
    )


def test_every_seed_of_the_race_is_listed_with_its_reason(tmp_path: Path) -> None:
    turn = Allocation(number=1, seed=7, reason="it leads, 0.0010 ahead of trial 2")
    raced = replace(FINALS, allocations=[turn], why_enough="all runs are used")
    html = html_of(saved(tmp_path / "s", finals=raced))
    assert "<li>trial 1, seed 1: it leads, 0.0010 ahead of trial 2</li>" in html
    assert "Then no more: all runs are used." in html
    assert "Which finalist was given which seed" not in html_of(saved(tmp_path / "t", finals=FINALS))


def test_the_model_that_a_person_has_stands_below_the_finalists(tmp_path: Path) -> None:
    study = saved(tmp_path / "my-study", finals=replace(FINALS, incumbent=KEPT))
    page = Page(study_page(replace(study, record=study.record | {"against": "/models/prod.pt"}), Drawings()))
    texts = [text for _, text in page.texts]
    assert "Keep prod.pt: trial 1 is no better on validation, Recall@10 0.2800 against 0.3000." in texts
    row = texts.index("keep")
    assert texts[row - 1 : row + 3] == ["prod.pt", "keep", "0.3000", "0.2000"]
    assert "prod.pt, test Recall@10" in texts
    assert "Recall@10 against prod.pt" in texts
    assert texts[texts.index("against") + 1] == "prod.pt"
    assert "The configuration to ship" not in page.prose


def test_every_row_of_the_finalists_has_a_cell_for_every_heading(tmp_path: Path) -> None:
    html = html_of(saved(tmp_path / "s", finals=replace(FINALS, incumbent=KEPT)))
    [table] = re.findall(r'aria-label="Finalists">.*?</table>', html, re.DOTALL)
    rows = [len(re.findall(r"<t[hd][ >]", row)) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]
    assert len(rows) == 1 + len(FINALS.finalists) + 1
    assert len(set(rows)) == 1
