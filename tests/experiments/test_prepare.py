"""`prepare`: what it counts, against a few lines of pandas; what it writes, and what it refuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.cli.exit_status import EXIT_OTHER_COUNTS
from experiments.cli.recipes import RECIPES, Recipe
from experiments.cli.running import run_command
from experiments.prepare import main
from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.errors import InputError

pytestmark = pytest.mark.slow  # each folder has a plot, and is read again


@pytest.fixture(scope="module")
def clicks(tmp_path_factory) -> Path:
    """A small yoochoose-clicks.dat: 2,000 sessions of twelve days, in the order of their ids and not of time."""
    rng = np.random.default_rng(7)
    path = tmp_path_factory.mktemp("raw") / "yoochoose-clicks.dat"
    starts = pd.Timestamp("2014-09-18T03:00Z") + pd.to_timedelta(rng.uniform(0, 12 * 86_400, 2_000), unit="s")
    lines = []
    for session, start in enumerate(starts, start=1):
        times = start + pd.to_timedelta(np.sort(rng.uniform(0, 3_600, rng.geometric(0.35))), unit="s")
        items = 214_500_000 + np.minimum(rng.zipf(1.3, len(times)), 800)
        lines += [
            f"{session},{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z,{item},{'S' if item % 2 else 0}\n"
            for time, item in zip(times, items, strict=True)
        ]
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def views(tmp_path_factory) -> Path:
    """A small train-item-views.csv: events of a session in any order, five of them on two days."""
    rng = np.random.default_rng(8)
    path = tmp_path_factory.mktemp("raw") / "train-item-views.csv"
    lines = ["session_id;user_id;item_id;timeframe;eventdate\n"]
    for session in range(1, 2_001):
        day = pd.Timestamp("2016-05-01") + pd.Timedelta(days=int(rng.integers(30)))
        length = int(rng.geometric(0.3))
        times = rng.choice(1_200_000, length, replace=False)
        items = np.minimum(rng.zipf(1.3, length), 700)
        for n, (time, item) in enumerate(zip(times, items, strict=True)):
            late = day + pd.Timedelta(days=1) if session <= 5 and n == length - 1 else day
            lines.append(f"{session};{'NA' if session % 3 else session};{item};{time};{late:%Y-%m-%d}\n")
    path.write_text("".join(lines))
    return path


def counted(frame: pd.DataFrame, unit: int, period: int, share: float) -> dict[str, int]:
    """Counts of a frame of session, item and the session's end in seconds, by the rules of SR-GNN."""
    frame = frame[frame.groupby("session").item.transform("size") > 1]
    frame = frame[frame.groupby("item").item.transform("size") >= 5]
    frame = frame[frame.groupby("session").item.transform("size") > 1]
    ends = frame.end // unit
    train, test = frame[ends < ends.max() - period], frame[ends > ends.max() - period]
    test = test[test.item.isin(train.item)]
    test = test[test.groupby("session").item.transform("size") > 1]
    return {
        "train targets": int((len(train) - train.session.nunique()) * share),
        "test sessions": test.session.nunique(),
        "test targets": len(test) - test.session.nunique(),
        **({"train sessions": train.session.nunique(), "items": train.item.nunique()} if share == 1 else {}),
    }


@pytest.mark.parametrize(("recipe", "share"), [("yoochoose-1/64", 1 / 64), ("yoochoose-1/4", 1 / 4)])
def test_yoochoose_is_counted_as_pandas_counts_it(tmp_path, clicks, recipe, share):
    frame = pd.read_csv(clicks, header=None, names=["session", "time", "item", "category"], parse_dates=["time"])
    frame["end"] = frame.groupby("session").time.transform("max").astype("datetime64[ns, UTC]").astype("int64") // 10**9
    card = prepared(clicks, tmp_path / "data", "--recipe", recipe)
    expected = counted(frame, 1, 86_400, share)
    assert {key: card["counts"][key] for key in expected} == expected
    assert expected["train targets"] > 10
    assert card["counts"]["events read"] == len(frame)
    check_sum(card)


def test_diginetica_is_counted_as_pandas_counts_it(tmp_path, views):
    frame = pd.read_csv(views, sep=";", parse_dates=["eventdate"]).rename(
        columns={"session_id": "session", "item_id": "item"}
    )
    frame["end"] = frame.groupby("session").eventdate.transform("last").astype("datetime64[s]").astype("int64")
    card = prepared(views, tmp_path / "data", "--recipe", "diginetica")
    expected = counted(frame, 86_400, 7, 1)
    assert {key: card["counts"][key] for key in expected} == expected
    check_sum(card)
    written = pd.read_parquet(tmp_path / "data" / "train.parquet")
    by_time = frame.sort_values("timeframe", kind="stable").groupby("session").item.agg(list)
    common = set(frame.item.value_counts()[lambda n: n >= 5].index)
    for session, items in written.groupby("session_id", sort=False).item_id.agg(list).head(50).items():
        assert [item for item in by_time[session] if item in common][-len(items) :] == items


@pytest.mark.parametrize("arguments", [(), ("--time_column", "timeframe")])
def test_diginetica_is_recognised_as_its_owners_spell_it(tmp_path, views, arguments):
    owners = tmp_path / "train-item-views.csv"
    _, rows = views.read_text().split("\n", 1)
    owners.write_text("sessionId;userId;itemId;timeframe;eventdate\n" + rows)
    cards = [
        prepared(log, tmp_path / name, "--recipe", "diginetica", *options)
        for name, log, options in (("a", views, ()), ("b", owners, arguments))
    ]
    assert cards[0]["counts"] == cards[1]["counts"]
    assert cards[0]["fingerprint"] == cards[1]["fingerprint"]


def prepared(log: Path, output: Path, *arguments: str) -> dict:
    assert main([str(log), "--output", str(output), *arguments]) == 0
    return json.loads((output / "card.json").read_text())


def check_sum(card: dict) -> None:
    """Events in are events kept and events reported dropped."""
    kept = sum(count for key, count in card["counts"].items() if key in ("train events", "valid events", "test events"))
    dropped = [int(note.split()[1].replace(",", "")) for note in card["notes"] if note.startswith("dropped")]
    assert kept + sum(dropped) == card["counts"]["events read"] + card["counts"]["wrong rows"]


def test_what_was_prepared_is_loaded_by_its_folder(tmp_path, views, capsys):
    card = prepared(views, tmp_path / "views", "--recipe", "diginetica")
    assert sorted(file.name for file in (tmp_path / "views").iterdir()) == [
        "card.json",
        "statistics.png",
        "test.parquet",
        "train.parquet",
    ]
    splits = load_splits(DataConfig(dataset=str(tmp_path / "views"), valid_share=0))
    assert (splits.name, splits.fingerprint, splits.notes) == ("views", card["fingerprint"], ())
    assert [len(splits.train), len(splits.test)] == [card["counts"][f"{part} targets"] for part in ("train", "test")]
    assert splits.n_items == card["counts"]["items"] + 1
    assert card["source"] == "train-item-views.csv"
    assert card["options"] == {"min_item_support": 5, "split": "temporal", "test_period": "7d"}
    assert (tmp_path / "views" / "statistics.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr()
    assert "719,470" in printed.out
    assert "2016-05-01" in printed.out
    assert printed.err == ""
    with pytest.raises(InputError, match="has test sessions of its own; leave out test_file"):
        load_splits(DataConfig(dataset=str(tmp_path / "views"), test_file=str(views)))


def test_the_same_log_makes_the_same_files(tmp_path, views):
    first, second = (prepared(views, tmp_path / name / "d", "--recipe", "diginetica") for name in ("a", "b"))
    assert first == second


def test_options_of_ones_own_and_a_log_without_units(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user,item,ts\n" + "".join(f"{u},{i},{9 * u + i}\n" for u in range(30) for i in range(4)) + "1,2\n")
    card = prepared(log, tmp_path / "d", "--test-share", "0.2", "--bad-lines", "skip", "--valid_share", "0.2")
    assert card["options"] == {"bad_lines": "skip", "test_share": 0.2, "valid_share": 0.2}
    assert (card["counts"]["test sessions"], card["counts"]["wrong rows"], card["recipe"]) == (6, 1, None)
    check_sum(card)


def write_parts(folder: Path) -> list[Path]:
    """Train, validation and test as RecBole has them: files in a folder of their name."""
    folder.mkdir(parents=True)
    files = []
    for n, part in enumerate(("train", "valid", "test")):
        rows = [f"{10 * n + s}\t{i}\t{100 * n + 10 * s + i}\n" for s in range(4) for i in range(3)]
        files.append(folder / f"{folder.name}.{part}.inter")
        files[-1].write_text("session_id:token\titem_id:token\ttimestamp:float\n" + "".join(rows))
    return files


def test_splits_that_recbole_was_given(tmp_path):
    files = write_parts(tmp_path / "private" / "shop")
    arguments = ("--benchmark-filename", "train,valid,test")
    card = prepared(files[0].parent, tmp_path / "data", *arguments)
    there = DataConfig(dataset=str(files[0].parent), benchmark_filename=("train", "valid", "test"))
    here = load_splits(DataConfig(dataset=str(tmp_path / "data")))
    assert [len(part) for part in (here.train, here.valid, here.test)] == [8, 8, 8]
    assert load_splits(there).n_items == here.n_items
    assert card["source"] == "shop.train.inter"
    assert card["options"] == {"benchmark_filename": ["train", "valid", "test"]}
    check_inputs(card, files)


def test_given_files_are_in_the_card_by_name_and_checksum(tmp_path):
    train, valid, test = write_parts(tmp_path / "private" / "shop")
    card = prepared(train, tmp_path / "data", "--valid_file", str(valid), "--test_file", str(test))
    assert card["options"] == {"valid_file": "shop.valid.inter", "test_file": "shop.test.inter"}
    assert "private" not in json.dumps(card)
    check_inputs(card, [train, valid, test])


def check_inputs(card: dict, files: list[Path]) -> None:
    """The checksums are those of train, validation and test."""
    digests = [card["source_digest"], *(card["held_out_digests"][option] for option in ("valid_file", "test_file"))]
    assert [digest["sha256"] for digest in digests] == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_a_folder_of_recbole_is_its_log(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = [f"{s}\t{i}\t{10 * s + i}\n" for s in range(20) for i in range(3)]
    (folder / "shop.inter").write_text("session_id:token\titem_id:token\ttimestamp:float\n" + "".join(rows))
    card = prepared(folder, tmp_path / "data", "--split", "temporal")
    assert (card["source"], card["held_out_digests"]) == ("shop.inter", {})


def test_published_counts_are_checked_on_request(tmp_path, views, monkeypatch, capsys):
    arguments = [str(views), "--recipe", "diginetica", "--check", "--quiet"]
    assert main([*arguments, "--output", str(tmp_path / "a")]) == EXIT_OTHER_COUNTS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "not the published counts: train sessions " in printed.err
    assert printed.err.count("\n") == 1
    counts = json.loads((tmp_path / "a" / "card.json").read_text())["counts"]
    right = Recipe("diginetica", RECIPES["diginetica"].options, {"items": counts["items"]})
    monkeypatch.setitem(RECIPES, "diginetica", right)
    assert main([*arguments, "--output", str(tmp_path / "b")]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "--output", "d"], "none.csv: no such file"),
        ([".", "--output", "d"], "there is only 1 session"),  # the log in it is read
        (["log.csv", "--output", "d", "--test_file", "none.csv"], "none.csv: no such file"),
        ([".", "--output", "d", "--benchmark-filename", "train,test"], ".train.inter: no such file"),
        (["log.csv", "--output", "."], ".: exists; name a new folder"),
        (
            ["log.csv", "--output", "d", "--recipe", "diginetika"],
            "there is no 'diginetika'; did you mean 'diginetica'?",
        ),
        (["log.csv", "--output", "d", "--check"], "--check needs a --recipe"),
        (["log.csv", "--output", "d", "--test_periodd", "7d"], "did you mean '--test_period'?"),
        (["log.csv", "--output", "d", "--split", "leave_one_out"], "leave_one_out holds events apart"),
        (["log.csv"], "the following arguments are required: --output"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text("session_id,item_id,time\n1,1,1\n1,2,2\n")
    assert run_command(main, arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]


def shop(path: Path, session: str) -> Path:
    """A shop's log of 60 users with two sessions each."""
    rows = [
        f"{1_600_000_000 + 5_400 * visit + 60 * n},{(visit + n) % 9},{visit // 2},s{visit:03}\n"
        for visit in range(120)
        for n in range(3)
    ]
    path.write_text(f"timestamp,product_id,user_id,{session}\n" + "".join(rows))
    return path


@pytest.mark.parametrize("session", ["user_session", "user_session_id"])
def test_the_sessions_of_a_shop_are_taken_and_not_its_users(tmp_path, capsys, session):
    assert main([str(shop(tmp_path / "shop.csv", session)), "--output", str(tmp_path / "d")]) == 0
    card = json.loads((tmp_path / "d" / "card.json").read_text())
    assert (card["counts"]["train sessions"], card["counts"]["test sessions"]) == (108, 12)
    taken = f"shop.csv: columns taken: session {session}, item product_id, time timestamp (numbers, in s)"
    assert f"{taken}; the user, user_id, is not used" in card["notes"]
    assert "split taken: temporal, the last 0.1 are test" in card["notes"]
    assert taken in " ".join(capsys.readouterr().out.split())


def test_a_log_in_parts_is_prepared_under_the_name_of_its_folder(tmp_path):
    folder = tmp_path / "october"
    folder.mkdir()
    for n in range(2):
        rows = [f"{s},{(s + i) % 7},{100 * s + i}\n" for s in range(20 * n, 20 * n + 20) for i in range(3)]
        (folder / f"part-{n}.csv").write_text("session_id,item_id,time\n" + "".join(rows))
    assert main([str(folder), "--output", str(tmp_path / "d"), "--quiet"]) == 0
    card = json.loads((tmp_path / "d" / "card.json").read_text())
    assert (card["source"], card["counts"]["events read"]) == ("october", 120)
    assert card["source_digest"]["bytes"] == sum(file.stat().st_size for file in folder.iterdir())
