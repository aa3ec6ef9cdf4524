"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from narm.errors import InputError
from narm.machine import files
from narm.machine.files import atomic_file, atomic_folder, require_writable, write_text

MODES = st.integers(0, 0o777)
UMASKS = st.integers(0, 0o777).filter(lambda mask: not mask & 0o700)  # one that a person can work with
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=[]), min_size=1).filter(
    lambda name: name not in (".", "..") and len(os.fsencode(name)) <= 255 if _is_encodable(name) else False
)


def _is_encodable(name: str) -> bool:
    try:
        return bool(os.fsencode(name))
    except UnicodeEncodeError:  # half of a surrogate pair: no file has such a name
        return False


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@given(name=NAMES, mask=UMASKS)
def test_any_name_is_written_whole_with_the_mode_that_the_umask_leaves(name, mask):
    with tempfile.TemporaryDirectory() as folder, umask(mask):
        path = Path(folder, name)
        write_text(require_writable(path), "new")
        assert path.read_text() == "new"
        assert mode_of(path) == 0o666 & ~mask
        assert [file.name for file in Path(folder).iterdir()] == [name]
        with atomic_folder(Path(folder, "of", name)) as made:
            (made / "a").touch()
        assert mode_of(Path(folder, "of", name)) == 0o777 & ~mask


@given(mode=MODES.map(lambda mode: mode | 0o200), mask=UMASKS, links=st.integers(0, 3), fails=st.booleans())
def test_a_file_keeps_its_mode_behind_any_links_and_its_content_in_a_failure(mode, mask, links, fails):
    with tempfile.TemporaryDirectory() as folder, umask(mask):
        path = file = Path(folder, "file")
        file.write_text("old")
        file.chmod(mode)
        for number in range(links):
            path = Path(folder, f"link {number}")
            path.symlink_to(file.name if number == 0 else f"link {number - 1}")
        try:
            with atomic_file(path) as content:
                content.write(b"new")
                if fails:
                    raise KeyError
        except KeyError:
            pass
        assert mode_of(file) == mode
        file.chmod(0o600)
        assert file.read_text() == ("old" if fails else "new")
        assert len(list(Path(folder).iterdir())) == 1 + links


def test_a_name_may_be_as_long_as_the_file_system_has_them(tmp_path):
    write_text(tmp_path / ("x" * 255), "new")
    with pytest.raises(InputError, match="cannot be written: File name too long"):
        require_writable(tmp_path / ("x" * 256))


def test_the_owner_stays(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", 65534, 65534)
    write_text(tmp_path / "file", "new")
    assert ((tmp_path / "file").stat().st_uid, (tmp_path / "file").stat().st_gid) == (65534, 65534)


def _save_by_torch(file):
    torch.save({"weights": torch.zeros(100_000)}, file)


def _save_by_numpy(file):
    np.savez_compressed(file, ranks=np.random.default_rng(0).random(100_000))


def _save_by_pyarrow(file):
    pq.write_table(pa.table({"a": np.random.default_rng(0).random(100_000)}), file)


def _swallow(file):
    try:
        file.write(bytes(100_000))
    except OSError:
        return


@pytest.mark.parametrize("save", [_save_by_torch, _save_by_numpy, _save_by_pyarrow, _swallow])
@pytest.mark.parametrize("room", [0, 50_000])
def test_a_full_disk_is_named_with_the_file_and_leaves_what_was_there(tmp_path, monkeypatch, save, room):
    class SmallDisk(files._Disk):
        def write(self, content: bytes) -> int:
            if self.tell() + len(content) <= room:
                return super().write(content)
            self.failure = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise self.failure

    monkeypatch.setattr(files, "_Disk", SmallDisk)
    (tmp_path / "file").write_text("old")
    for path in (tmp_path / "file", tmp_path / "new" / "file"):
        with pytest.raises(OSError, match="No space left on device") as error, atomic_file(path) as file:
            save(file)
        assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_a_file_of_a_folder_is_named_by_where_it_would_have_been(tmp_path):
    with pytest.raises(FileNotFoundError) as error, atomic_folder(tmp_path / "folder") as folder:
        (folder / "none" / "a").write_text("a")
    assert error.value.filename == str(tmp_path / "folder" / "none" / "a")


def test_a_file_that_is_mounted_by_itself_is_written_in_place(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(Path, "replace", refuse)
    (tmp_path / "file").write_text("old")
    write_text(tmp_path / "file", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_what_may_not_be_written_is_refused_before_the_work(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anything")
    (tmp_path / "file").touch(mode=0o444)
    with pytest.raises(InputError, match="file: cannot be written: Permission denied"):
        require_writable(tmp_path / "file")


def test_a_byte_that_is_no_text_is_spelled_as_json_does(tmp_path):
    write_text(tmp_path / "file", '"\udcff"')
    assert (tmp_path / "file").read_bytes() == b'"\\udcff"'


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
