"""The user's cache, and a folder of their own where there is none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from narm.machine.cache import is_own, temporary_cache, user_cache


@pytest.fixture(autouse=True)
def temporary(monkeypatch, tmp_path):
    """Temporary files of the test, and no variable of the cache."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def test_it_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "narm-search"


@pytest.mark.parametrize("given", ["", "cache", "./cache"])
def test_a_relative_one_is_ignored(given, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    monkeypatch.setenv("HOME", "/home/someone")
    assert user_cache() == Path("/home/someone/.cache/narm-search")


def test_a_user_without_a_home_has_one_among_the_temporary_files(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert user_cache() == temporary_cache() == Path(tempfile.gettempdir()) / f"narm-search-{os.getuid()}"


def test_it_is_made_for_its_owner_alone():
    assert is_own(temporary_cache())
    assert temporary_cache().stat().st_mode & 0o777 == 0o700
    assert is_own(temporary_cache())


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_one_that_others_may_write_is_not_used(mode):
    temporary_cache().mkdir()
    temporary_cache().chmod(mode)
    assert not is_own(temporary_cache())


def test_nor_a_link(temporary):
    (temporary / "elsewhere").mkdir(mode=0o700)
    temporary_cache().symlink_to(temporary / "elsewhere")
    assert not is_own(temporary_cache())


def test_nor_one_of_somebody_else(monkeypatch):
    folder = temporary_cache()
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert not is_own(folder)


def test_nor_what_is_no_folder():
    temporary_cache().write_text("")
    assert not is_own(temporary_cache())
