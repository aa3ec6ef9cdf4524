"""Event logs as RecBole's pre-split files."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.recbole_atomic import sequential_files

SESSIONS = {7: [3, 1, 2], 4: [2, 9], 5: list(range(1, 60))}


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    events = [(session, item) for session, items in SESSIONS.items() for item in items]
    table = pd.DataFrame(events, columns=["session_id", "item_id"])
    table["timestamp"] = range(len(table))
    table.to_parquet(tmp_path / "clicks.train.parquet")
    return tmp_path / "clicks.train.parquet"


def rows(folder: Path, part: str) -> list[list[str]]:
    lines = (folder / "clicks" / f"clicks.{part}.inter").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "session_id:token\titem_id_list:token_seq\titem_id:token"
    return [line.split("\t") for line in lines[1:]]


def test_every_event_but_the_first_is_an_example(parquet: Path, tmp_path: Path) -> None:
    name, settings = sequential_files(parquet, tmp_path, max_sessions=None)
    assert name == "clicks"
    assert settings["benchmark_filename"] == ["train", "valid", "test"]
    train = rows(tmp_path, "train")
    assert train[:3] == [["7", "3", "1"], ["7", "3 1", "2"], ["4", "2", "9"]]
    assert len(train) == sum(len(items) - 1 for items in SESSIONS.values())


def test_a_prefix_is_the_last_fifty_events(parquet: Path, tmp_path: Path) -> None:
    sequential_files(parquet, tmp_path, max_sessions=None)
    session, prefix, target = rows(tmp_path, "train")[-1]
    assert (session, target) == ("5", "59")
    assert prefix.split() == [str(item) for item in range(9, 59)]


def test_fewer_sessions_keep_the_whole_catalogue(parquet: Path, tmp_path: Path) -> None:
    sequential_files(parquet, tmp_path, max_sessions=2)
    assert {row[0] for row in rows(tmp_path, "train")} == {"7", "4"}
    catalogue = rows(tmp_path, "valid")
    named = {item for row in catalogue for item in row[1].split()}
    assert named == {str(item) for items in SESSIONS.values() for item in items}
    assert {len(row[1].split()) for row in catalogue} == {50}
