"""A study from its first job to the verdict, without Ray: its jobs are trained in this process."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from rich.console import Console
from support.trained_runs import train_run

from experiments.cli.incumbents import find_incumbent
from experiments.cli.search_arguments import build_spec
from experiments.cli.search_parser import build_parser
from experiments.reporting.display import Display
from experiments.reporting.progress import Progress
from experiments.reporting.recorder import Recording
from experiments.tuning.driver.study_run import Plan, StudyResult, begin_study
from experiments.tuning.engine.engine import Engine, Idle
from experiments.tuning.engine.recomputing import judge_again
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.saved_study import open_saved
from experiments.tuning.study.storage import closing_study, load_study, storage_in
from experiments.tuning.study.summary import RecipeSummary, RefitModel, Shipping, read_summary
from experiments.tuning.study.trial_attributes import origin_of
from experiments.tuning.study.warm_start import Queued
from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.finalist_training import run_checkpoint
from experiments.tuning.worker.jobs import FinalistJob, Job, RefitJob, ShippingJob, Training, TrialJob
from experiments.tuning.worker.tune_function import run_job
from narm.bag import Bag
from narm.checkpoint import load_model, read_checkpoint
from narm.config import DataConfig
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import load_splits
from narm.errors import InputError
from narm.pulse import Pulse
from narm.training_state import EpochResult

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_a_report")]


@pytest.fixture
def without_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies end without figures and a page, which take longer than all their jobs and have tests of their own."""
    monkeypatch.setattr("experiments.reporting.report.publish.publish", lambda saved: {})


NOTHING_IN_IT = OptionsFile()


class Worker:
    """Does the jobs of a study of tiny models."""

    def __init__(
        self,
        output: Path,
        *arguments: str,
        resume: bool = False,
        queue: Sequence[Queued] = (),
        file: OptionsFile = NOTHING_IN_IT,
    ) -> None:
        small = ["--hidden_size", "8", "--embedding_size", "8", "--threads", "1", "--device", "cpu"]
        space = output / "space.yaml"
        space.write_text("learning_rate: [0.01, 0.02, 0.03, 0.04]\n")
        fixed = ["--preset", "smoke", "--space", str(space), "--study", "s", "--output", str(output)]
        size = ["--trials", "3", "--epochs", "3", "--scheduler", "none", "--finalists", "1", "--finalist-seeds", "1"]
        goes_on = ["--resume", "s"] if resume else []
        given = build_parser().parse_args([*fixed, *small, *size, *goes_on, *arguments])
        spec = build_spec(given, file)
        self.splits = load_splits(spec.config.data)
        self.training = Training(
            config=spec.config,
            threads=1,
            device="cpu",
            checkpoints=CheckpointStore(spec.checkpoints("checkpoints")),
            finalist_checkpoints=CheckpointStore(spec.checkpoints("finalists")),
        )
        recording = Recording(Display(Console(file=io.StringIO()), quiet=True))
        dataset = Dataset.of(self.splits, spec.config)
        with find_incumbent(given, spec, self.splits) as incumbent:
            plan = Plan(spec=spec, resume=resume, queue=queue, incumbent=incumbent)
            self.run = begin_study(plan, dataset, self.splits.test, self.training, recording.open)

    def begin(self) -> Job:
        job = self.run.next_job()
        assert not isinstance(job, Idle)
        return job

    def do(self, job: Job) -> None:
        for report in run_job(job, self.splits, self.training):
            if self.run.report(job, report) is not Decision.CONTINUE:
                return

    def train_all(self) -> StudyResult:
        while not isinstance(job := self.run.next_job(), Idle):
            self.do(job)
        assert job is Idle.DONE
        assert self.run.result is not None
        return self.run.result


def states(output: Path) -> list[TrialState]:
    with closing_study(load_study("s", storage_in(output))) as study:
        return [trial.state for trial in study.trials]


def test_trials_are_followed_by_finalists_and_the_verdict(output: Path) -> None:
    worker = Worker(output)
    assert not worker.run.may_end
    result = worker.train_all()
    assert worker.run.may_end
    assert result.reason == "all trials done"
    assert result.summary.finals is not None
    assert states(output) == [TrialState.COMPLETE] * 3
    assert (output / "s" / "winner.pt").exists()
    assert worker.run.next_job() is Idle.DONE


def origins(output: Path) -> list[str]:
    with closing_study(load_study("s", storage_in(output))) as study:
        return [origin_of(trial.user_attrs) for trial in study.trials]


def test_the_recipe_is_tried_after_the_default_configuration_and_once(output: Path) -> None:
    recipe = output / "mine.yaml"
    recipe.write_text("learning_rate: 0.03\n")
    worker = Worker(output, "--recipe", str(recipe))
    jobs = [worker.begin(), worker.begin()]
    assert jobs[1].options == {"learning_rate": 0.03}
    worker.run.abandon(RuntimeError("the disk is full"))
    result = Worker(output, "--recipe", str(recipe), resume=True).train_all()
    assert origins(output) == ["default", "recipe", "sampler"]
    assert result.summary.recipe == RecipeSummary(name="mine.yaml", number=1, why_not=None)
    with closing_study(load_study("s", storage_in(output))) as study:
        assert study.trials[1].params == {"learning_rate": 0.03}


def test_a_study_that_has_all_its_trials_gets_no_recipe(output: Path) -> None:
    Worker(output, "--recipe", "none").train_all()
    recipe = output / "mine.yaml"
    recipe.write_text("learning_rate: 0.03\n")
    before = origins(output)
    Worker(output, "--recipe", str(recipe), resume=True).train_all()
    assert origins(output) == before


@pytest.mark.parametrize(
    ("n_queued", "expected"),
    [(1, ["default", "recipe", "queue.yaml"]), (2, ["default", "queue.yaml", "queue.yaml"])],
)
def test_the_recipe_takes_no_trial_from_what_a_person_wants_tried(
    output: Path, n_queued: int, expected: list[str]
) -> None:
    recipe = output / "mine.yaml"
    recipe.write_text("learning_rate: 0.03\n")
    queue = [Queued(options={"learning_rate": rate}, origin="queue.yaml") for rate in (0.01, 0.02)]
    Worker(output, "--recipe", str(recipe), queue=queue[:n_queued]).run.abandon(RuntimeError("enough"))
    assert origins(output) == expected


@pytest.mark.usefixtures("without_a_report")
def test_what_costs_too_much_is_not_trained_and_the_default_that_does_cannot_ship(output: Path) -> None:
    config, space = output / "config.yaml", output / "layers.yaml"
    config.write_text("n_layers: 2\n")
    space.write_text("n_layers: [1, 2]\nlearning_rate: [0.01, 0.02, 0.03]\n")
    bounds = ["--constraint", "n_parameters <= 1500", "--constraint", "request_ms <= 1000"]
    worker = Worker(output, "--space", str(space), "--recipe", "none", *bounds, file=read_config(config))
    summary = worker.train_all().summary
    trained = [trial for trial in summary.trials if trial.epochs]
    assert [trial.params["n_layers"] for trial in trained] == [2, 1, 1]
    assert [trial.infeasible is None for trial in trained] == [False, True, True]
    assert summary.counts.infeasible == len(summary.trials) - 3
    assert summary.finals is not None
    assert [finalist.is_default for finalist in summary.finals.finalists] == [False, True]
    assert summary.recommended == summary.finals.winner != 0
    with closing_study(load_study("s", storage_in(output))) as study:
        measured = [study.trials[trial.number].user_attrs["costs"] for trial in trained]
        assert all(costs.keys() == {"n_parameters", "megabytes", "request_ms"} for costs in measured)


def test_a_database_that_somebody_removed_is_there_at_the_end(output: Path, caplog) -> None:
    worker = Worker(output)
    for removed in output.glob("studies.db*"):
        removed.unlink()
    worker.train_all()
    assert states(output) == [TrialState.COMPLETE] * 3
    assert "studies.db was removed during the search, and is written again" in caplog.text


@pytest.mark.parametrize("limit", ["--epoch-budget", "--time-budget"])
def test_finalists_of_a_search_that_a_limit_broke_off_are_trained(output: Path, limit: str) -> None:
    worker = Worker(output, limit, "3" if limit == "--epoch-budget" else "1s")
    first, in_flight = worker.begin(), worker.begin()
    assert isinstance(in_flight, TrialJob)
    worker.do(first)
    if limit == "--time-budget":
        worker.run.deadline = 0.0
        worker.run.check_deadline()
    assert worker.run.next_job() is Idle.WAIT
    assert worker.run.may_end  # Ray Tune ends, and the job in flight with it
    worker.run.settle(is_interrupted=False)
    assert not worker.run.may_end
    result = worker.train_all()
    assert result.reason == ("epoch budget (3)" if limit == "--epoch-budget" else "time budget")
    assert result.summary.finals is not None
    assert states(output) == [TrialState.COMPLETE, TrialState.WAITING]


RACE = ("--finalists", "2", "--finalist-seeds", "3", "--finalist-runs", "6")


def test_finalists_race_for_their_seeds_and_the_summary_says_why(output: Path) -> None:
    finals = Worker(output, *RACE).train_all().summary.finals
    assert finals is not None
    given = [(turn.number, turn.seed) for turn in finals.allocations]
    trained = [(finalist.number, seed) for finalist in finals.finalists for seed in finalist.seeds]
    assert sorted(given) == sorted(trained)
    assert len(given) <= 6
    assert max(len(finalist.seeds) for finalist in finals.finalists) <= 3
    assert all(turn.reason for turn in finals.allocations)
    assert finals.why_enough
    assert all(finalist.estimate is not None for finalist in finals.finalists)


@pytest.mark.parametrize("done", [1, 4])
def test_a_race_that_was_killed_comes_to_the_same_answer(output: Path, tmp_path: Path, done: int) -> None:
    whole = Worker(output, *RACE).train_all().summary.finals
    (place := tmp_path / "killed").mkdir()
    killed = Worker(place, *RACE)
    while done:
        job = killed.begin()
        killed.do(job)
        done -= isinstance(job, FinalistJob)
    killed.run.settle(is_interrupted=True)
    kept = {path: path.stat().st_mtime_ns for path in (place / "s" / "finalists").glob("*.npz")}
    again = Worker(place, *RACE, resume=True).train_all().summary.finals
    assert again is not None
    assert whole is not None
    assert again.allocations == whole.allocations
    assert [(each.number, each.estimate) for each in again.finalists] == [
        (each.number, each.estimate) for each in whole.finalists
    ]
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())


BAG = ("--ship", "bag", "--finalist-seeds", "2", "--refit", "none")
REFIT_BAG = ("--ship", "bag", "--finalist-seeds", "2", "--refit", "valid")


def shipping_of(result: StudyResult) -> Shipping:
    assert result.summary.finals is not None
    assert result.summary.finals.shipping is not None
    return result.summary.finals.shipping


def test_the_best_run_ships_and_the_summary_says_what_it_costs(output: Path) -> None:
    result = Worker(output, "--finalist-seeds", "2", "--refit", "none").train_all()
    shipping = shipping_of(result)
    assert shipping.bag is None
    assert min(shipping.single.megabytes, shipping.single.milliseconds) > 0
    [seed] = shipping.single.seeds
    run = output / "s" / "finalists" / f"{result.summary.recommended:04d}-{seed}.pt"
    assert (output / "s" / "winner.pt").read_bytes() == run.read_bytes()


def test_a_bag_ships_and_the_summary_has_it_beside_the_best_run(output: Path) -> None:
    result = Worker(output, *BAG).train_all()
    shipping = shipping_of(result)
    model = load_model(output / "s" / "winner.pt")
    assert isinstance(model, Bag)
    assert shipping.bag is not None
    assert len(model.members) == len(shipping.bag.seeds) == 2
    assert set(shipping.single.seeds) < set(shipping.bag.seeds)
    assert shipping.bag.megabytes == pytest.approx(2 * shipping.single.megabytes)
    written = read_summary(output / "s" / "summary.json").finals
    assert written is not None
    assert written.shipping == shipping


def test_a_study_that_was_over_makes_a_bag_of_the_runs_it_has(output: Path) -> None:
    Worker(output, "--finalist-seeds", "2", "--refit", "none").train_all()
    worker = Worker(output, *BAG, resume=True)
    job = worker.begin()
    assert isinstance(job, ShippingJob)  # nothing is trained
    worker.do(job)
    assert shipping_of(worker.train_all()).bag is not None


def test_a_study_that_has_shipped_ships_the_same_again_without_a_job(output: Path) -> None:
    shipped = shipping_of(Worker(output, *BAG).train_all())
    again = Worker(output, *BAG, resume=True)
    assert again.run.next_job() is Idle.DONE
    assert again.run.result is not None
    assert shipping_of(again.run.result) == shipped


def test_a_search_that_was_killed_while_it_made_the_bag_goes_on_there(output: Path) -> None:
    expected = shipping_of(Worker(output, *BAG, "--study", "whole").train_all())
    worker = Worker(output, *BAG)
    while isinstance(job := worker.begin(), TrialJob | FinalistJob):
        worker.do(job)
    worker.run.settle(is_interrupted=True)
    assert worker.run.result is not None
    assert worker.run.result.reason == "interrupted"
    again = Worker(output, *BAG, resume=True)
    job = again.begin()
    assert isinstance(job, ShippingJob)
    again.do(job)
    made = shipping_of(again.train_all())
    assert made.bag is not None
    assert expected.bag is not None
    assert (made.bag.seeds, made.bag.valid, made.bag.test) == (
        expected.bag.seeds, expected.bag.valid, expected.bag.test,
    )  # fmt: skip


def test_the_best_run_ships_where_the_bag_cannot_be_made(output: Path, caplog) -> None:
    worker = Worker(output, *BAG)
    while isinstance(job := worker.begin(), TrialJob | FinalistJob):
        worker.do(job)
    (output / "s" / "finalists" / run_checkpoint(job.finalist, next(s for s in job.bag if s != job.best))).unlink()
    worker.do(job)
    result = worker.train_all()
    assert "the bag could not be made" in caplog.text
    assert result.summary.finals is not None
    assert result.summary.finals.shipping is None
    assert not isinstance(load_model(output / "s" / "winner.pt"), Bag)


def refit_of(result: StudyResult) -> RefitModel:
    refit = shipping_of(result).refit
    assert refit is not None
    return refit


def test_what_ships_is_trained_again_on_validation_too_where_whole_sessions_are_held_out(output: Path) -> None:
    result = Worker(output).train_all()
    finals, refit = result.summary.finals, refit_of(result)
    assert finals is not None
    assert (refit.on, refit.model.valid) == ("valid", {})
    run = output / "s" / "finalists" / f"{finals.winner:04d}-{refit.model.seeds[0]}.pt"
    assert refit.epochs == [read_checkpoint(run)["best_epoch"]]
    assert finals.shipped_test == pytest.approx(shipping_of(result).single.test)  # as it was compared
    shipped = read_checkpoint(output / "s" / "winner.pt")
    assert (shipped["refit"], shipped["epoch"]) == ("valid", refit.epochs[0])


def test_a_refit_on_everything_has_no_test_figures(output: Path) -> None:
    result = Worker(output, "--refit", "all").train_all()
    assert refit_of(result).model.test == {}
    assert result.summary.finals is not None
    assert result.summary.finals.shipped_test  # those of the comparison


def test_leave_one_out_ships_what_was_compared(output: Path) -> None:
    result = Worker(output, "--split", "leave_one_out").train_all()
    assert (shipping_of(result).refit, shipping_of(result).why_no_refit) == (None, None)


def test_a_search_that_was_killed_while_it_trained_again_trains_nothing_twice(output: Path) -> None:
    expected = Worker(output, *REFIT_BAG, "--study", "whole").train_all()
    worker = Worker(output, *REFIT_BAG)
    while not isinstance(job := worker.begin(), RefitJob):
        worker.do(job)
    worker.do(job)  # one of the two members
    interrupted = worker.begin()
    assert isinstance(interrupted, RefitJob)
    next(run_job(interrupted, worker.splits, worker.training))  # kill -9 in the middle of the other
    worker.run.settle(is_interrupted=True)
    again = Worker(output, *REFIT_BAG, resume=True)
    trained = []
    while not isinstance(job := again.run.next_job(), Idle):
        assert isinstance(job, RefitJob | ShippingJob)
        for report in run_job(job, again.splits, again.training):
            trained += (
                [(job.seed, report.epoch)] if isinstance(job, RefitJob) and isinstance(report, EpochResult) else []
            )
            if again.run.report(job, report) is not Decision.CONTINUE:
                break
    assert trained == [(interrupted.seed, epoch) for epoch in range(2, interrupted.epochs + 1)]
    assert again.run.result is not None
    made, wanted = refit_of(again.run.result), refit_of(expected)
    assert (made.epochs, made.model.seeds, made.model.test) == (wanted.epochs, wanted.model.seeds, wanted.model.test)


def test_a_study_that_has_shipped_can_have_it_trained_again_and_nothing_else(output: Path) -> None:
    Worker(output, *BAG).train_all()
    worker = Worker(output, *REFIT_BAG, resume=True)
    jobs: list[Job] = []
    while not isinstance(job := worker.run.next_job(), Idle):
        jobs.append(job)
        worker.do(job)
    assert [type(job) for job in jobs] == [RefitJob, RefitJob, ShippingJob]
    assert worker.run.result is not None
    assert isinstance(load_model(output / "s" / "winner.pt"), Bag)
    assert refit_of(worker.run.result).on == "valid"


def test_finalists_go_on_where_a_shorter_bound_had_ended_them(output: Path) -> None:
    arguments = ("--epochs", "1", "--refit", "none")
    short = Worker(output, *arguments).train_all().summary.finals
    assert short is not None
    assert {epochs for one in short.finalists for epochs in one.epochs} == {1}
    worker = Worker(output, *arguments, "--finalist-epochs", "3", resume=True)
    job = worker.begin()
    assert isinstance(job, FinalistJob)
    first, *_ = run_job(job, worker.splits, worker.training)
    assert isinstance(first, EpochResult)
    assert first.epoch == 2  # the first is not trained again
    worker.do(job)
    longer = worker.train_all().summary.finals
    assert longer is not None
    assert {epochs for one in longer.finalists for epochs in one.epochs} == {3}


def test_a_model_that_validation_prefers_is_kept_also_by_a_session_that_has_its_copy_alone(output: Path) -> None:
    Worker(output, "--study", "first", "--refit", "none").train_all()
    mine = output / "mine.pt"
    (output / "first" / "winner.pt").rename(mine)
    worker = Worker(output, "--against", str(mine))  # the same search: a draw, which no finalist wins
    content = mine.read_bytes()
    mine.unlink()
    worker.do(worker.begin())
    worker.run.abandon(RuntimeError("the disk is full"))
    result = Worker(output, resume=True).train_all()
    finals = result.summary.finals
    assert finals is not None
    assert finals.incumbent is not None
    assert finals.incumbent.same_data
    assert finals.incumbent.valid == finals.shipped_valid
    assert finals.incumbent.test == finals.shipped_test  # ranked as the finalists are
    assert (result.summary.recommended, result.summary.keep) == (None, "mine.pt")
    assert (output / "s" / "winner.pt").read_bytes() == content
    assert read_summary(output / "s" / "summary.json").finals == finals
    client = MlflowClient(f"sqlite:///{output}/mlflow.db")
    [version] = client.search_model_versions("name = 'narm-synthetic'")  # that of the first study alone
    assert client.get_run(version.run_id).info.run_name == "first"


@pytest.mark.parametrize("more", [(), ("--eval_targets", "last", "--finalist-seeds", "2")])
def test_the_verdict_can_be_recomputed_from_the_folder(output: Path, more: Sequence[str]) -> None:
    mine = train_run(output / "mine.pt", load_splits(DataConfig(dataset="synthetic")), epochs=1)
    worker = Worker(output, *more, "--against", str(mine))
    summary = worker.train_all().summary
    assert summary.finals is not None
    saved = open_saved("s", output=output)
    with closing_study(saved.study):
        assert judge_again(saved, worker.splits) == saved.summary
        earlier = replace(
            saved.summary, finals=replace(summary.finals, decided_by="test", comparisons=[], by_length=())
        )
        assert judge_again(replace(saved, summary=earlier), worker.splits) == saved.summary
        with pytest.raises(InputError, match="is not what it was when 's' was searched"):
            judge_again(saved, replace(worker.splits, fingerprint="new"))
        next((output / "s" / "finalists").glob("*.npz")).unlink()
        with pytest.raises(InputError, match=r"the ranks of trial \d, seed \d+, are not there"):
            judge_again(saved, worker.splits)
        with pytest.raises(InputError, match="study 's' has no finalists to judge again"):
            judge_again(replace(saved, summary=replace(summary, finals=None)), worker.splits)


def test_a_study_ships_what_validation_prefers_to_the_model_that_a_person_has(output: Path) -> None:
    mine = train_run(output / "mine.pt", load_splits(DataConfig(dataset="synthetic")), learning_rate=1e-7)
    result = Worker(output, "--against", str(mine), "--finalist-seeds", "2").train_all()
    finals = result.summary.finals
    assert finals is not None
    assert finals.incumbent is not None
    assert finals.incumbent.lead.meaning == "better"
    assert finals.incumbent.lead.seeds == "held"
    assert (result.summary.recommended, result.summary.keep) == (finals.winner, None)
    assert (output / "s" / "winner.pt").read_bytes() != mine.read_bytes()


def test_the_champion_is_compared_with_as_it_was_at_the_beginning(output: Path) -> None:
    Worker(output, "--study", "first", "--refit", "none").train_all()
    result = Worker(output, "--against", "champion").train_all()
    assert result.summary.keep == "narm-synthetic@champion"
    again = Worker(output, "--against", "none", resume=True)
    assert again.train_all().summary.keep is None


def test_an_interruption_reads_no_test_split_and_can_be_resumed(output: Path) -> None:
    worker = Worker(output)
    for _ in range(3):
        worker.do(worker.begin())
    assert isinstance(worker.begin(), FinalistJob)
    worker.run.settle(is_interrupted=True)
    assert worker.run.result is not None
    assert worker.run.result.reason == "interrupted"
    assert worker.run.result.summary.finals is None
    result = Worker(output, resume=True).train_all()
    assert result.reason == "all trials done"
    assert result.summary.finals is not None


def test_an_error_prunes_no_trial_that_waits_for_a_promotion(output: Path) -> None:
    worker = Worker(output, "--scheduler", "asha")
    worker.do(worker.begin())  # paused at the first rung
    worker.begin()
    worker.run.abandon(RuntimeError("no node has room"))
    assert states(output) == [TrialState.WAITING] * 2


def test_a_session_beside_another_one_changes_nothing(output: Path) -> None:
    worker = Worker(output)
    with closing_study(load_study("s", storage_in(output))) as study:
        before = study.user_attrs
    with pytest.raises(InputError, match=r"outbox.jsonl: in use by another process: wait for it"):
        Worker(output, "--trials", "50", resume=True)
    with closing_study(load_study("s", storage_in(output))) as study:
        assert study.user_attrs == before
    assert worker.train_all().reason == "all trials done"


def test_an_error_leaves_a_study_that_can_go_on(output: Path) -> None:
    worker = Worker(output)
    worker.do(worker.begin())
    worker.begin()
    worker.run.abandon(RuntimeError("the disk is full"))
    assert worker.run.result is None
    assert worker.run.may_end
    assert states(output) == [TrialState.COMPLETE, TrialState.WAITING]
    assert Worker(output, resume=True).train_all().summary.finals is not None


def test_a_database_that_is_full_does_not_hide_what_ended_the_search(output: Path, monkeypatch) -> None:
    worker = Worker(output)
    worker.begin()

    def fail() -> str:
        raise StorageInternalError("e.g. exceeding max length.")

    with monkeypatch.context() as patched:
        patched.setattr(Engine, "close", lambda self: fail())
        worker.run.abandon(RuntimeError("the first error"))
    assert json.loads((output / "s" / "summary.json").read_text())["stop_reason"] == "RuntimeError: the first error"
    Worker(output, resume=True).train_all()


def test_how_far_a_long_epoch_is_reaches_the_display_and_ends_no_job(output: Path, monkeypatch) -> None:
    told = []
    monkeypatch.setattr(Progress, "within_epoch", lambda _, number, progress, seed=None: told.append((number, seed)))
    worker = Worker(output)
    job = worker.begin()
    pulse = Pulse(lambda progress: told.append(worker.run.report(job, progress)), every=0.0)
    for _ in run_job(job, worker.splits, worker.training, pulse):
        break
    assert set(told) == {(0, None), Decision.CONTINUE}


def test_a_model_that_has_learned_from_validation_cannot_be_judged_by_it(output: Path) -> None:
    Worker(output, "--study", "first", "--refit", "valid").train_all()
    with pytest.raises(InputError, match="has learned from the validation sessions of these data"):
        Worker(output, "--against", str(output / "first" / "winner.pt"))
