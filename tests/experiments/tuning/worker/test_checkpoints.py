from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.tuning.worker.addresses import address_below
from experiments.tuning.worker.checkpoints import CheckpointStore
from narm.errors import InputError


@pytest.fixture(params=["folder", "file URI", "other file system"])
def store(request, tmp_path) -> CheckpointStore:
    """The same store on each kind of address; pyarrow's mock file system lives in memory, as long as its process."""
    addresses = {
        "folder": f"{tmp_path}/checkpoints",
        "file URI": f"{tmp_path.as_uri()}/checkpoints",
        "other file system": f"mock://{tmp_path}/checkpoints",
    }
    store = CheckpointStore(addresses[request.param])
    store.prepare()
    return store


def writing(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def read(store: CheckpointStore, name: str, into: Path) -> bytes | None:
    file = store.fetch(name, into)
    return file.read_bytes() if file else None


def test_the_latest_checkpoint_is_read_back(store, tmp_path):
    for content in (b"first", b"second"):
        store.save("0007.pt", writing(content))
        assert read(store, "0007.pt", tmp_path) == content
    assert store.exists("0007.pt")


def test_a_trial_without_a_checkpoint_has_none(store, tmp_path):
    store.save("0007.pt", writing(b"of another"))
    assert not store.exists("0008.pt")
    assert store.fetch("0008.pt", tmp_path) is None


def test_a_write_that_fails_leaves_the_old_checkpoint_and_no_trace(store, tmp_path):
    store.save("0007.pt", writing(b"whole"))

    def tear(path: Path) -> None:
        path.write_bytes(b"par")
        assert read(store, "0007.pt", tmp_path) == b"whole"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.save("0007.pt", tear)
    assert read(store, "0007.pt", tmp_path) == b"whole"
    if store.folder:
        assert [file.name for file in store.folder.iterdir()] == ["0007.pt"]


def test_a_full_disk_names_the_checkpoint(tmp_path):
    store = CheckpointStore(f"{tmp_path}/checkpoints")
    store.prepare()

    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    with pytest.raises(OSError, match="No space left on device") as error:
        store.save("0007.pt", fail)
    assert error.value.filename == f"{tmp_path}/checkpoints/0007.pt"


def test_a_folder_is_read_and_written_in_place(tmp_path):
    store = CheckpointStore(f"{tmp_path}/checkpoints")
    store.prepare()
    written: list[Path] = []

    def write(path: Path) -> None:
        written.append(path)
        path.write_bytes(b"content")

    store.save("0007.pt", write)
    assert written[0].parent == store.folder == tmp_path / "checkpoints"
    assert store.fetch("0007.pt", tmp_path / "elsewhere") == tmp_path / "checkpoints" / "0007.pt"


def test_a_folder_that_a_node_does_not_share_is_not_made_there(tmp_path):
    store = CheckpointStore(f"{tmp_path}/checkpoints")
    with pytest.raises(FileNotFoundError, match="not on this node: name a folder that all nodes share"):
        store.save("0007.pt", writing(b"lost"))
    assert not (tmp_path / "checkpoints").exists()


def test_a_store_travels_to_workers_that_have_another_working_directory(store, tmp_path, monkeypatch):
    store.save("0007.pt", writing(b"content"))
    monkeypatch.chdir(tmp_path)
    relative = CheckpointStore("checkpoints")
    copies = [pickle.loads(pickle.dumps(each)) for each in (store, relative)]  # noqa: S301  # our own
    monkeypatch.chdir("/")
    assert read(copies[0], "0007.pt", tmp_path) == b"content"
    assert copies[1].folder == tmp_path / "checkpoints"


def test_a_store_that_cannot_be_written_is_told_before_the_search(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"/file/below cannot be written"):
        CheckpointStore(f"{tmp_path}/file/below").prepare()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "ftp://host/path",
            "ftp://host/path cannot be opened .*Unrecognized filesystem type.*: write a folder, or s3:",
        ),
        ("s3:///path", "Missing bucket name"),
        ("s3://", "names no bucket"),
        ("s3://bucket/path?regoin=eu", "Unexpected query parameter"),
    ],
)
def test_an_address_of_nothing_is_refused_in_one_line(uri, message):
    with pytest.raises(InputError, match=message) as error:
        CheckpointStore(uri)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://KEY:hunter2@bucket/path",
        "s3://KEY:hun/hunter2@bucket/path",  # a slash that should have been percent-encoded
        "abfs://container@account.dfs.core.windows.net/path?sas_token=hunter2",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(uri):
    with pytest.raises(InputError, match="leave the credentials out") as error:
        CheckpointStore(uri)
    assert "hunter2" not in str(error.value)


def test_the_folder_of_a_study_stands_before_the_options_of_its_address():
    assert address_below("/shared/narm/", "study") == "/shared/narm/study"
    assert address_below("/odd?folder", "study") == "/odd?folder/study"
    assert address_below("s3://bucket?region=eu-west-1", "study") == "s3://bucket/study?region=eu-west-1"
