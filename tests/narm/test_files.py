"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import stat

import pytest

from narm.errors import InputError
from narm.files import atomic_folder


def test_a_folder_appears_when_it_is_done(tmp_path):
    path = tmp_path / "new" / "folder"
    with atomic_folder(path) as folder:
        (folder / "a").write_text("a")
        assert not path.exists()
    assert [file.name for file in path.iterdir()] == ["a"]
    assert [file.name for file in path.parent.iterdir()] == ["folder"]
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(path.parent.stat().st_mode)


def test_a_folder_that_was_not_done_leaves_no_trace(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "folder") as folder:
        (folder / "none" / "a").write_text("a")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_touched(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    for name in ("folder", "file"):
        with pytest.raises(InputError, match=rf"{name}: exists; name a new folder"), atomic_folder(tmp_path / name):
            pytest.fail("the block must not be entered")
    with pytest.raises(InputError, match="cannot be written"), atomic_folder(tmp_path / "file" / "folder"):
        pytest.fail("the block must not be entered")
