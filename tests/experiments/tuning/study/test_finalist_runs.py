"""Results of finalists' runs on disk: read as written, and used for nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.config import Config
from narm.errors import InputError

CONFIG = Config.from_flat(embedding_size=8, hidden_size=8, epochs=3, topk=[5], metrics=["MRR"])
FINALIST = Finalist(number=7, options={"n_layers": 2})


def runs(folder: Path) -> FinalistRuns:
    return FinalistRuns(folder, CONFIG, "ring")


def assert_same(one: FinalistRun, other: FinalistRun | None) -> None:
    assert other is not None
    assert (one.ranks == other.ranks).all()
    for field in ("seed", "epochs", "best_epoch", "valid", "test"):
        assert getattr(one, field) == getattr(other, field)


@pytest.fixture
def kept(tmp_path) -> FinalistRun:
    run = FinalistRun(
        finalist=FINALIST,
        seed=5,
        epochs=3,
        best_epoch=2,
        seconds=1.25,
        valid={"mrr_at_10": 0.1 + 0.2},
        test={"mrr_at_10": 0.25},
        ranks=np.array([1, 5, 19]),
    )
    runs(tmp_path).write(run)
    return run


def test_a_result_is_read_as_it_was_written(kept, tmp_path):
    read = runs(tmp_path).read(FINALIST, 5)
    assert_same(kept, read)
    assert read is not None
    assert (read.finalist, read.seconds) == (FINALIST, 1.25)
    assert [path.name for path in tmp_path.iterdir()] == ["0007-5.npz"]


def test_a_result_says_what_it_is_of(kept, tmp_path):
    with np.load(runs(tmp_path).path(FINALIST, 5), allow_pickle=False) as content:
        record = json.loads(str(content["record"]))
    assert record["config"] == CONFIG.replace({"n_layers": 2, "seed": 5}).flat()
    assert record["fingerprint"] == "ring"


def test_a_result_from_before_there_was_an_option_is_one_with_its_default(kept, tmp_path):
    path = runs(tmp_path).path(FINALIST, 5)
    with np.load(path, allow_pickle=False) as content:
        record, ranks = json.loads(str(content["record"])), content["ranks"]
    del record["config"]["scoring"]
    np.savez_compressed(path, ranks=ranks, record=np.array(json.dumps(record)))
    assert_same(kept, runs(tmp_path).read(FINALIST, 5))
    assert FinalistRuns(tmp_path, CONFIG.replace({"scoring": "cosine"}), "ring").read(FINALIST, 5) is None


def test_only_a_result_of_the_same_run_is_used_again(kept, tmp_path):
    def read(finalist: Finalist = FINALIST, seed: int = 5, data: str = "ring", **options: object) -> object:
        return FinalistRuns(tmp_path, CONFIG.replace(options), data).read(finalist, seed)

    assert read() is not None
    assert read(session_column="user") is not None  # another spelling of the same data
    assert read(seed=6) is None
    assert read(Finalist(number=8, options={"n_layers": 2})) is None
    assert read(Finalist(number=7, options={"n_layers": 1})) is None
    assert read(data="other") is None
    for options in ({"epochs": 4}, {"hidden_size": 9}, {"topk": [5, 20]}, {"max_item_list_length": 20}):
        assert read(**options) is None, options


@pytest.mark.parametrize("content", [b"", b"torn", b"PK\x03\x04torn"])
def test_what_is_no_result_is_told_and_not_used(kept, tmp_path, content, caplog):
    runs(tmp_path).path(FINALIST, 5).write_bytes(content)
    assert runs(tmp_path).read(FINALIST, 5) is None
    assert "0007-5.npz: not the result of a finalist" in caplog.text


def test_a_foreign_npz_is_not_used(kept, tmp_path, caplog):
    with runs(tmp_path).path(FINALIST, 5).open("wb") as file:
        np.savez(file, ranks=np.arange(3), record=np.array("{}"))
    assert runs(tmp_path).read(FINALIST, 5) is None
    assert "not the result of a finalist" in caplog.text


def test_runs_that_are_required_are_there_or_named(kept, tmp_path):
    (found,) = runs(tmp_path).require(FINALIST, [5])
    assert_same(kept, found)
    with pytest.raises(InputError, match="the ranks of trial 7, seed 6, are not there"):
        runs(tmp_path).require(FINALIST, [5, 6])


@pytest.mark.parametrize(
    ("trained", "was_allowed", "allowed", "is_over"),
    [
        (3, 3, 3, True),
        (3, 3, 9, False),  # its bound ended it, and it may go on
        (3, 9, 9, True),  # early stopping ended it
        (3, 9, 12, True),
        (9, 9, 3, False),  # it went further than it may now
        (3, 9, 3, True),
    ],
)
def test_a_run_counts_if_nothing_is_left_to_train(kept, tmp_path, trained, was_allowed, allowed, is_over):
    runs(tmp_path).write(replace(kept, finalist=replace(FINALIST, epochs=was_allowed), epochs=trained))
    assert (runs(tmp_path).read(replace(FINALIST, epochs=allowed), 5) is not None) == is_over
    assert runs(tmp_path).find(replace(FINALIST, epochs=allowed), 5) is not None
    assert runs(tmp_path).require(replace(FINALIST, epochs=allowed), [5])


def test_a_schedule_that_ends_with_the_last_epoch_makes_another_run_of_another_bound(kept, tmp_path):
    linear = FinalistRuns(tmp_path, CONFIG.replace({"learning_rate_schedule": "linear", "epochs": 9}), "ring")
    linear.write(kept)
    assert linear.read(FINALIST, 5) is not None
    assert linear.find(replace(FINALIST, epochs=12), 5) is None
