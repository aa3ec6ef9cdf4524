"""ml-100k is fetched once, checked, and never half-written; no test here needs a network but the last."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile

import pytest

from narm.data import movielens
from narm.errors import InputError

CONTENT = b"user_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n"


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NARM_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def downloads(monkeypatch):
    """Let the package index hold a small wheel; the list counts how often it is asked."""
    calls = []

    def download(folder):
        calls.append(folder)
        with zipfile.ZipFile(folder / movielens.WHEEL, "w") as archive:
            archive.writestr(zipfile.ZipInfo(movielens.MEMBER), CONTENT)
        known = hashlib.sha256((folder / movielens.WHEEL).read_bytes()).hexdigest()
        if len(calls) == 1:
            monkeypatch.setattr(movielens, "WHEEL_SHA256", known)

    monkeypatch.setattr(movielens, "download", download)
    monkeypatch.setattr(movielens, "INTER_SHA256", hashlib.sha256(CONTENT).hexdigest())
    return calls


def test_it_is_downloaded_once(downloads, data_folder):
    path = movielens.ml_100k()
    assert path == movielens.ml_100k() == data_folder / "ml-100k" / "ml-100k.inter"
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert len(downloads) == 1


def test_another_wheel_is_refused(downloads, data_folder, monkeypatch):
    movielens.ml_100k().unlink()
    monkeypatch.setattr(movielens, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(InputError, match=r"another recbole-1.2.1-py3-none-any.whl than the known one"):
        movielens.ml_100k()
    assert not list((data_folder / "ml-100k").iterdir())


def test_a_damaged_cache_is_named_and_left_alone(downloads):
    path = movielens.ml_100k()
    path.write_bytes(CONTENT + b"1\t2\t4\n")
    with pytest.raises(InputError, match=r"ml-100k.inter: not the .* \(SHA-256 differs\); delete it"):
        movielens.ml_100k()
    assert path.exists()


@pytest.mark.parametrize(
    "failure",
    [
        subprocess.CalledProcessError(1, "pip", stderr="WARNING: retrying\nERROR: no network\n"),
        subprocess.TimeoutExpired("pip", 600),
        OSError("no pip"),
    ],
)
def test_without_network_the_error_says_where_to_put_the_file(monkeypatch, data_folder, failure):
    def download(folder):
        raise failure

    monkeypatch.setattr(movielens, "download", download)
    with pytest.raises(InputError) as caught:
        movielens.ml_100k()
    assert f"unpack {movielens.MEMBER} of the wheel of recbole==1.2.1 to {data_folder}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_an_input_error(downloads, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NARM_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(InputError, match="NARM_DATA_DIR names another folder"):
        movielens.ml_100k()


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("NARM_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert movielens.data_directory() == tmp_path / "narm-search" / "datasets"


@pytest.mark.network
def test_the_real_file_has_the_known_checksum():
    try:
        path = movielens.ml_100k()
    except InputError as error:
        if "cannot download" in str(error):
            pytest.skip(str(error))
        raise
    assert hashlib.sha256(path.read_bytes()).hexdigest() == movielens.INTER_SHA256
