"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import shutil
import stat

import pytest

from narm.errors import InputError
from narm.machine.files import atomic_file, atomic_folder, require_writable


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


@pytest.mark.parametrize("atomic", [atomic_file, atomic_folder])
def test_a_failure_takes_the_parents_that_it_made_with_it(tmp_path, atomic):
    (tmp_path / "mine").mkdir()
    with pytest.raises(KeyError), atomic(tmp_path / "mine" / "a" / "b" / "new"):
        raise KeyError
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_parents_that_another_has_filled_stay(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "a" / "b" / "new"):
        shutil.copy(__file__, tmp_path / "a" / "other").with_name("none").read_text()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "other"]


@pytest.mark.parametrize("name", ["x" * 300, "a/" + "x" * 300 + "/file"])
def test_a_path_that_cannot_be_made_leaves_nothing(tmp_path, name):
    with pytest.raises(InputError, match="cannot be written"), atomic_folder(tmp_path / "new" / name):
        pytest.fail("the block must not be entered")
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_fails_leaves_no_parents(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        require_writable(tmp_path / "a" / ("x" * 300) / "file")
    assert list(tmp_path.iterdir()) == []
    assert require_writable(tmp_path / "a" / "file").parent.is_dir()
