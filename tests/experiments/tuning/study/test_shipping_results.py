"""What was found of a model to ship is kept, for the same runs, options and data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.tuning.study.shipping_results import ShippingResults
from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.jobs import Finalist, ShippingJob
from experiments.tuning.worker.reports import BagResult, RefitResult, ShippingResult
from narm.config import Config
from narm.footprint import Footprint

FINALIST = Finalist(number=7, options={"learning_rate": 0.01})
JOB = ShippingJob(FINALIST, best=5, bag=(5, 6), best_epochs={5: 3, 6: 2})
COST = Footprint(megabytes=1.0, milliseconds=0.25)
RESULT = ShippingResult(single=COST, bag=BagResult(valid={"mrr_at_10": 0.5}, test={"mrr_at_10": 0.25}, footprint=COST))


@pytest.fixture
def results(tmp_path: Path) -> ShippingResults:
    kept = ShippingResults(tmp_path, Config(), "f00", CheckpointStore(str(tmp_path)))
    (tmp_path / "0007-bag.pt").touch()
    kept.write(JOB, RESULT)
    return kept


def test_a_result_is_read_as_it_was_written(results):
    assert results.read(JOB) == RESULT


@pytest.mark.parametrize(
    "job",
    [
        replace(JOB, best=6),
        replace(JOB, bag=(5, 6, 7)),
        replace(JOB, bag=()),
        replace(JOB, refit="valid"),
        replace(JOB, best_epochs={5: 3, 6: 3}),
        replace(JOB, finalist=replace(FINALIST, number=8)),
        replace(JOB, finalist=replace(FINALIST, options={"learning_rate": 0.02})),
    ],
)
def test_one_of_other_runs_or_options_is_none(results, job):
    assert results.read(job) is None


def test_one_of_other_options_or_data_is_none(results):
    assert replace(results, config=Config.from_flat(stopping_step=7)).read(JOB) is None
    assert replace(results, fingerprint="bad").read(JOB) is None
    assert replace(results, config=Config.from_flat(epochs=7)).read(JOB) == RESULT  # the weights are those of the job


def test_a_result_of_an_earlier_version_is_none(results, tmp_path):
    path = tmp_path / "0007-shipping.json"
    record = json.loads(path.read_text())
    del record["refit"], record["best_epochs"]
    path.write_text(json.dumps(record))
    assert results.read(JOB) is None


@pytest.mark.parametrize("bag", [(), (5, 6)])
def test_without_what_was_trained_again_it_is_made_again(results, tmp_path, bag):
    job = replace(JOB, bag=bag, refit="valid")
    made = replace(RESULT, refit=RefitResult(test={"mrr_at_10": 0.3}, footprint=COST))
    results.write(job, made)
    assert results.read(job) is None
    (tmp_path / ("0007-bag-refit-valid.pt" if bag else "0007-5-refit-valid.pt")).touch()
    assert results.read(job) == made


def test_without_its_bag_it_is_made_again(results, tmp_path):
    (tmp_path / "0007-bag.pt").unlink()
    assert results.read(JOB) is None


def test_what_is_torn_or_forgotten_is_none(results, tmp_path):
    (tmp_path / "0007-shipping.json").write_text('{"best": 5')
    assert results.read(JOB) is None
    results.write(JOB, RESULT)
    results.forget(FINALIST)
    assert results.read(JOB) is None
    results.forget(FINALIST)


def test_a_full_disk_is_a_warning(results, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("experiments.tuning.study.shipping_results.write_text", full)
    results.write(JOB, RESULT)
    assert "0007-shipping.json: is not kept: No space left on device" in caplog.text
