"""A browser, and MLflow's UI on the store of a search that is over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support.finished_search import CalledSearch

from benchmarks.mlflow_server import Server

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PATIENCE = 60_000  # milliseconds: MLflow's pages take many requests, and CI machines are busy
SIZES = {"wide": (1280, 900), "narrow": (400, 800)}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium that NARM_CHROMIUM names, or that is on the path."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = os.environ.get("NARM_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if executable is None and os.environ.get("CI"):
        pytest.fail("there is no Chromium, and CI must not pass without one: apt-get install -y chromium (Debian)")
    if executable is None:
        pytest.skip("there is no Chromium: install one, or name it in NARM_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page in a window of its own, what it asked for, and what went wrong in it."""

    page: Page
    requests: list[str]
    errors: list[str]

    def photograph(self, name: str) -> None:
        """Keep what is to be seen, for a person to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture(params=[("wide", "light"), ("wide", "dark"), ("narrow", "light")], ids="-".join)
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    size, scheme = request.param
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    visit = Visit(page, [], [])
    page.on("request", lambda asked: visit.requests.append(asked.url))
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    yield visit
    context.close()


@pytest.fixture(scope="session")
def mlflow_ui(browser: Browser, searched: CalledSearch) -> Iterator[str]:
    """The address of MLflow's UI on the store of the search."""
    with Server(searched.output) as server:
        assert server.store == searched.tracking_uri
        server.start()
        yield server.uri
