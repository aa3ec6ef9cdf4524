"""Addresses hold for any path, and show no password."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from experiments.tuning.worker.addresses import absolute_tracking_uri, sqlite_file, sqlite_url

parts = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=100).filter(
    lambda part: part not in (".", "..")
)
paths = st.lists(parts, min_size=1, max_size=4).map(lambda names: Path("/", *names))


@given(paths)
def test_any_path_comes_back_from_its_url(path):
    assert make_url(sqlite_url(path)).database == str(path)
    assert sqlite_file(sqlite_url(path)) == path


@given(paths)
def test_a_url_that_is_absolute_stays_as_it_is(path):
    url = sqlite_url(path)
    assert absolute_tracking_uri(url) == url


@pytest.mark.parametrize("path", ["/data/my runs/a@b:c/x.db", "/données/日本.db", "/a/~/x.db"])
def test_a_usual_path_is_written_as_it_is(path):
    assert sqlite_url(Path(path)) == f"sqlite:///{path}"


@pytest.mark.parametrize("url", ["postgresql://h/db", "sqlite://", "sqlite:///:memory:", "http://h:5000", "nonsense"])
def test_what_is_in_no_file_has_none(url):
    assert sqlite_file(url) is None


def test_a_relative_path_is_made_absolute_and_options_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_tracking_uri("sqlite:///x.db?timeout=5") == f"sqlite:///{tmp_path}/x.db?timeout=5"
