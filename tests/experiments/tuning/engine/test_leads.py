"""The lead of a configuration over others, from the ranks of their runs."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.tuning.engine.leads import Trained, lead_over_model, leads, mean_values, values_of
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun

SESSIONS = np.arange(40) // 2


def trained(*ranks: list[int], depends_on_seed: bool = True) -> Trained:
    """A configuration with a run for each list of ranks, which repeats over all targets."""
    runs = [
        FinalistRun(
            finalist=Finalist(number=0, options={}), seed=seed, epochs=1, best_epoch=1, seconds=1.0, valid={}, test={},
            ranks=np.resize(of_seed, len(SESSIONS)),
        )
        for seed, of_seed in enumerate(ranks)
    ]  # fmt: skip
    return Trained(runs, depends_on_seed)


def test_values_have_a_row_a_seed_and_means_none():
    runs = trained([1, 2], [4, 99]).runs
    assert values_of(runs, "MRR@10")[:, :2].tolist() == [[1.0, 0.5], [0.25, 0.0]]
    assert mean_values(runs, "MRR@10")[:2].tolist() == [0.625, 0.25]


def test_the_first_is_compared_with_each_of_the_others_in_their_order():
    found = leads([trained([1]), trained([2]), trained([4])], "MRR@10", SESSIONS)
    assert [each.mean for each in found] == pytest.approx([0.5, 0.75])
    assert leads([trained([1])], "MRR@10", SESSIONS) == []


def test_some_targets_may_be_looked_at_alone():
    pair = [trained([1, 1, 1, 1]), trained([1, 1, 2, 2])]
    [later] = leads(pair, "MRR@10", SESSIONS, np.flatnonzero(SESSIONS % 2 == 1))
    [earlier] = leads(pair, "MRR@10", SESSIONS, np.flatnonzero(SESSIONS % 2 == 0))
    assert (later.mean, earlier.mean) == (0.5, 0.0)


def test_seeds_of_every_configuration_say_what_another_seed_does():
    steady, other = trained([1, 2, 4], [2, 1, 4]), trained([2, 3, 9], [3, 2, 9])
    [pair] = leads([steady, other], "MRR@10", SESSIONS)
    wild = trained([1, 1], [9, 9])
    first, _ = leads([steady, other, wild], "MRR@10", SESSIONS)
    assert pair.seeds == first.seeds == "held"
    assert first.low < pair.low <= pair.high < first.high


def test_a_model_as_it_is_adds_no_noise_of_seeds_and_does_not_hide_that_of_the_first():
    first, model = trained([1, 1, 4], [2, 9, 9]), trained([2, 3, 9], depends_on_seed=False)
    over_model = lead_over_model([first], model.runs[0].ranks, "MRR@10", SESSIONS)
    assert [over_model] == leads([first, model], "MRR@10", SESSIONS)
    [over_run] = leads([first, trained([2, 3, 9])], "MRR@10", SESSIONS)  # of which another seed may be another
    assert (over_model.seeds, over_model.mean) == ("held", over_run.mean)
    assert over_run.low < over_model.low < over_model.high < over_run.high


def test_a_configuration_that_no_seed_changes_has_no_seeds_to_hold():
    [found] = leads([trained([1], depends_on_seed=False), trained([2], depends_on_seed=False)], "MRR@10", SESSIONS)
    assert found.seeds == "none"
