"""What the study holds after whatever can happen to a trial."""

from __future__ import annotations

import pickle
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState
from ray.tune.search import Searcher

from experiments.distinct import DistinctSampler
from experiments.samplers import SAMPLERS
from experiments.searcher import OptunaSearcher, enqueue_default, trial_options
from experiments.trainable import EpochReport
from narm.config import Config
from narm.seeds import derived_seed
from search_spaces.space import SearchSpace, load_space

CONFIG = Config.from_flat({"seed": 7})


class Diary:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def started(self, number: int, options: dict[str, Any]) -> None:
        self.events.append(("started", number))

    def reported(self, number: int, report: EpochReport) -> None:
        self.events.append(("reported", number, report.epoch))

    def finished(self, trial: FrozenTrial) -> None:
        self.events.append(("finished", trial.number, trial.state.name))

    def run_id(self, number: int) -> str | None:
        return f"run-{number}" if number else None


class Search:
    """A searcher on a study in memory, with what its tests look at."""

    def __init__(self, space: str) -> None:
        self.space: SearchSpace = load_space(space)
        sampler = DistinctSampler(SAMPLERS["random"](self.space, 1), self.space, 1)
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        enqueue_default(self.study, self.space, CONFIG)
        self.diary = Diary()
        self.searcher = OptunaSearcher(self.study, self.space, CONFIG, self.diary)

    def states(self) -> list[str]:
        return [trial.state.name for trial in self.study.trials]


@pytest.fixture
def inside() -> Search:
    """The default configuration is a point of the space."""
    return Search("recbole")


@pytest.fixture
def outside() -> Search:
    """It is not."""
    return Search("smoke")


def result(epoch: int, value: float, *, final: bool = False, stopped_early: bool = False) -> dict[str, Any]:
    report = EpochReport(
        epoch=epoch,
        value=value,
        valid={"mrr_at_10": value},
        best={"mrr_at_10": value},
        best_epoch=epoch,
        train_loss=1.0,
        seconds=0.5,
        targets_per_second=10.0,
        stopped_early=stopped_early,
        final=final,
    )
    return {"epoch": epoch, "value": value, "report": report, "training_iteration": epoch}


def test_the_default_configuration_is_the_first_trial_and_is_spared(inside):
    first = inside.searcher.suggest("a")
    second = inside.searcher.suggest("b")
    assert first["number"] == 0
    assert first["options"] == {
        "learning_rate": 0.001, "hidden_size": 128, "n_layers": 1, "dropout_probs": [0.25, 0.5],
    }  # fmt: skip
    assert (first["spared"], second["spared"]) == (True, False)
    assert second["options"] != first["options"]


def test_a_default_outside_the_space_runs_all_the_same(outside):
    first = outside.searcher.suggest("a")
    assert first["options"] == {"learning_rate": 0.001, "hidden_size": 128}
    assert first["spared"]
    trial = outside.study.trials[0]
    assert trial.params == {}
    assert trial_options(trial, outside.space, CONFIG) == first["options"]


def test_every_epoch_is_reported_under_its_own_number(inside):
    inside.searcher.suggest("a")
    for epoch, value in ((2, 0.1), (4, 0.3)):
        inside.searcher.on_trial_result("a", result(epoch, value))
    assert inside.study.trials[0].intermediate_values == {2: 0.1, 4: 0.3}


def test_a_trial_that_the_scheduler_stops_is_pruned_with_its_last_epoch(inside):
    inside.searcher.suggest("a")
    inside.searcher.on_trial_result("a", result(1, 0.1))
    inside.searcher.on_trial_complete("a", result(2, 0.2))
    trial = inside.study.trials[0]
    assert trial.state is TrialState.PRUNED
    assert trial.value == 0.2
    assert trial.intermediate_values == {1: 0.1, 2: 0.2}
    assert trial.user_attrs["reason"] == "stopped by the scheduler after epoch 2"


@pytest.mark.parametrize(
    ("stopped_early", "reason"), [(True, "no better after epoch 2"), (False, "all epochs trained")]
)
def test_a_trial_that_ends_by_itself_is_complete(inside, stopped_early, reason):
    inside.searcher.suggest("a")
    inside.searcher.on_trial_result("a", result(1, 0.1))
    inside.searcher.on_trial_complete("a", result(2, 0.2, final=True, stopped_early=stopped_early))
    trial = inside.study.trials[0]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.2)
    assert trial.user_attrs["reason"] == reason
    assert trial.user_attrs["best_epoch"] == trial.user_attrs["epochs"] == 2
    assert trial.user_attrs["seconds"] == 1.0
    assert trial.user_attrs["valid"] == {"mrr_at_10": 0.2}


def test_a_failure_is_told_with_its_reason(inside):
    inside.searcher.suggest("a")
    inside.searcher.on_trial_result("a", result(1, 0.1))
    inside.searcher.on_trial_complete("a", error=True)
    inside.searcher.failed("a", "NonFiniteLoss: nan", "a traceback")
    trial = inside.study.trials[0]
    assert trial.state is TrialState.FAIL
    assert trial.user_attrs["reason"] == "NonFiniteLoss: nan"
    assert trial.user_attrs["traceback"] == "a traceback"


def test_telling_again_changes_nothing(inside):
    inside.searcher.suggest("a")
    inside.searcher.on_trial_complete("a", result(1, 0.1, final=True))
    before = list(inside.diary.events)
    inside.searcher.on_trial_complete("a", result(1, 0.1, final=True))
    inside.searcher.failed("a", "late", "late")
    inside.searcher.settle("late")
    assert inside.diary.events == before
    assert inside.states() == ["COMPLETE"]


def test_the_result_that_ray_repeats_at_the_end_is_not_a_new_epoch(inside):
    inside.searcher.suggest("a")
    last = result(1, 0.1, final=True)
    inside.searcher.on_trial_result("a", last)
    inside.searcher.on_trial_complete("a", last)
    assert inside.diary.events.count(("reported", 0, 1)) == 1
    assert inside.study.trials[0].user_attrs["seconds"] == 0.5


def test_the_end_of_the_search_leaves_nothing_running(inside):
    inside.searcher.suggest("a")
    inside.searcher.suggest("b")
    inside.searcher.on_trial_result("a", result(1, 0.1))
    inside.searcher.settle("stopped: time budget")
    assert inside.states() == ["PRUNED", "FAIL"]
    assert {trial.user_attrs["reason"] for trial in inside.study.trials} == {"stopped: time budget"}
    assert inside.study.trials[0].value == 0.1


@pytest.mark.parametrize(("which", "trials"), [("inside", 30), ("outside", 5)])
def test_a_finite_space_ends_when_it_is_exhausted(which, trials, request):
    search = request.getfixturevalue(which)
    suggested = [search.searcher.suggest(str(index)) for index in range(trials)]
    assert [trial["number"] for trial in suggested] == list(range(trials))
    assert len({str(trial["options"]) for trial in suggested}) == trials
    assert search.searcher.suggest("one more") == Searcher.FINISHED
    assert len(search.study.trials) == trials


def test_a_seed_follows_from_the_study_and_the_number_alone(inside):
    seeds = [inside.searcher.suggest(str(number))["seed"] for number in range(3)]
    assert seeds == [derived_seed(7, number) for number in range(3)]
    assert len({*seeds, derived_seed(8, 0)}) == 4
    assert inside.study.trials[1].user_attrs["seed"] == seeds[1]


def test_the_listener_hears_everything_in_order(inside):
    inside.searcher.suggest("a")
    inside.searcher.on_trial_result("a", result(1, 0.1))
    inside.searcher.on_trial_complete("a", result(2, 0.2))
    assert inside.diary.events == [("started", 0), ("reported", 0, 1), ("reported", 0, 2), ("finished", 0, "PRUNED")]


def test_a_trial_is_linked_to_its_run_where_that_is_known(inside):
    inside.searcher.suggest("a")
    inside.searcher.suggest("b")
    inside.searcher.settle("over")
    links = [trial.user_attrs.get("mlflow_run_id") for trial in inside.study.trials]
    assert links == [None, "run-1"]


def test_nothing_of_the_study_is_pickled(inside):
    inside.searcher.suggest("a")
    assert inside.searcher.__getstate__() == {}
    assert len(pickle.dumps(inside.searcher)) < 200
