"""A prepared dataset is what its card says, or is refused."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from narm.data.prepared import CARD, Card, FileDigest, is_prepared, part_file, read_card, write_sessions
from narm.data.session_log import group_events
from narm.errors import InputError


@pytest.fixture
def folder(tmp_path, as_log):
    log = group_events(as_log([(s, item, s + item) for s in (2, 1) for item in (30, 10)]))
    for part in ("train", "test"):
        write_sessions(log, tmp_path / part_file(part))
    Card(
        name="shop",
        recipe=None,
        options={},
        source="log.csv",
        source_digest=FileDigest(bytes=1, sha256="0"),
        counts={},
        published={},
        notes=(),
        files={part_file(part): FileDigest.of(tmp_path / part_file(part)) for part in ("train", "test")},
        fingerprint="f",
        versions={},
    ).save(tmp_path)
    return tmp_path


def test_a_card_is_read_as_it_was_written(folder):
    card = read_card(folder)
    assert (card.name, list(card.files)) == ("shop", ["train.parquet", "test.parquet"])
    assert is_prepared(folder)
    assert not is_prepared(folder.parent)


def test_sessions_are_written_in_their_order(folder):
    assert pq.read_table(folder / "train.parquet").to_pydict() == {
        "session_id": [2, 2, 1, 1],
        "item_id": [10, 30, 10, 30],
        "timestamp": [12, 32, 11, 31],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "card.json: not the card of a prepared dataset: format: 2: input should be 1"),
        ({"colour": "red"}, "card.json: not the card of a prepared dataset: unknown option 'colour'"),
        ({"files": {}}, "card.json: files: train.parquet is not among them"),
        ({"name": None}, "card.json: not the card of a prepared dataset: name: None"),
    ],
)
def test_another_card_is_refused(folder, change, message):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **change}))
    with pytest.raises(InputError, match=message) as caught:
        read_card(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"files": {"../x": 1}}'])
def test_what_is_no_card_is_refused(folder, text):
    (folder / CARD).write_text(text)
    with pytest.raises(InputError, match=r"card.json: not the card of a prepared dataset: ") as caught:
        read_card(folder)
    assert "\n" not in str(caught.value)


def test_files_outside_the_folder_are_not_looked_at(folder):
    card = json.loads((folder / CARD).read_text())
    card["files"]["../secret"] = {"bytes": 1, "sha256": "0"}
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"'../secret' is not the name of a file in the folder"):
        read_card(folder)


def test_another_file_is_refused(folder):
    (folder / "test.parquet").write_bytes((folder / "train.parquet").read_bytes() + b"x")
    with pytest.raises(InputError, match=r"test.parquet: not the file that card.json describes"):
        read_card(folder)
    (folder / "test.parquet").unlink()
    with pytest.raises(InputError, match=r"test.parquet: No such file or directory; prepare the dataset again"):
        read_card(folder)
