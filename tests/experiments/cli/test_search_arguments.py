"""From a command line to the spec of a study."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from optuna.distributions import IntDistribution
from support.ring import ring_of_items

from experiments.cli import search_arguments, search_parser
from experiments.cli.presets import PRESETS
from experiments.cli.search_arguments import build_spec
from experiments.cli.search_parser import build_parser
from experiments.tuning.study.saved_study import recorded_uri
from experiments.tuning.study.setting import setting
from experiments.tuning.study.spec import ENDS, StudySpec
from experiments.tuning.study.storage import closing_study, create_study
from experiments.tuning.study.trial_attributes import SPEC
from narm.config_file import OptionsFile, read_config
from narm.errors import InputError
from narm.machine.capacity import Cores, usable_cores
from narm.models import MODELS
from search_spaces.data_size import DataSize


def spec(*arguments: str) -> StudySpec:
    """For data of 19 items."""
    given = build_parser().parse_args(arguments)
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    return build_spec(given, file, lambda data: ring_of_items())


def test_no_argument_at_all_is_the_quick_search_of_ml_100k():
    built = spec()
    quick = PRESETS["quick"]
    assert built.config.data.dataset == "ml-100k"
    assert built.space.name == "recbole"
    assert (built.trials, built.config.training.epochs, built.time_budget) == (
        quick.trials, quick.epochs, quick.time_budget,
    )  # fmt: skip
    assert built.concurrency * built.threads == usable_cores()
    assert (built.sampler, built.scheduler, built.objective, built.seed) == ("tpe", "asha", "MRR@10", 2020)


CONDITIONAL = """
learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}
loss_type: [CE, sampled_softmax]
softmax_samples: {low: 256, high: 4096, log: true, when: {loss_type: sampled_softmax}}
"""


@pytest.mark.parametrize(
    ("arguments", "sampler"),
    [
        ([], "tpe"),
        (["--space", "narm"], "gp"),
        (["--preset", "full"], "gp"),
        (["--space", "narm", "--sampler", "qmc"], "qmc"),
        (["--space", "narm", "--trials", "251"], "tpe"),
        (["--space", "narm", "--trials", "10"], "tpe"),
        (["--space", "narm", "--objective", "MRR@10,n_parameters"], "tpe"),
        (["--space", "conditional.yaml"], "gp"),
    ],
)
def test_a_surface_is_searched_by_a_gaussian_process_and_all_else_by_tpe(tmp_path, monkeypatch, arguments, sampler):
    (tmp_path / "conditional.yaml").write_text(CONDITIONAL)
    monkeypatch.chdir(tmp_path)
    assert spec(*arguments).sampler == sampler


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_makes_a_study(preset):
    assert spec("--preset", preset).trials_possible == PRESETS[preset].trials


def test_the_command_line_wins_over_the_file_and_that_over_the_preset(tmp_path):
    config = tmp_path / "options.yaml"
    config.write_text("epochs: 7\nTIME_FIELD: when\ntrain_batch_size: 100\nweight_decay: 0.1\n")
    built = spec("--preset", "smoke", "--config", str(config), "--train-batch-size", "50", "--time-budget", "3m")
    flat = built.config.flat()
    assert flat["train_batch_size"] == 50  # command line > file
    assert flat["epochs"] == 7  # file > preset
    assert flat["dataset"] == "synthetic"  # preset > defaults
    assert flat["weight_decay"] == 0.1
    assert flat["time_column"] == "when"
    assert built.time_budget == 180


def test_a_config_file_may_say_where_the_search_begins(tmp_path):
    config = tmp_path / "options.yaml"
    config.write_text("learning_rate: 0.005\n")
    built = spec("--space", "recbole", "--config", str(config))
    assert built.space.from_options(built.config)["learning_rate"] == 0.005  # trial 0


@pytest.mark.parametrize("model", list(MODELS)[1:])
def test_a_model_is_searched_in_the_space_of_its_name(model):
    built = spec("--model", model.replace("_", "-").upper())
    assert built.config.model.model == model
    assert built.space.name == model
    at_once = MODELS[model].learned_at_once
    quick = PRESETS["quick"]
    assert built.config.training.epochs == (1 if at_once else quick.epochs)
    assert built.finalist_seeds == (1 if at_once else quick.finalist_seeds)


def test_narm_keeps_the_space_of_the_preset_and_any_model_takes_a_given_one(tmp_path):
    assert spec("--model", "narm").space.name == "recbole"
    assert spec("--model", "global", "--space", "recbole").space.name == "recbole"
    assert spec("--model", "sr", "--seeds", "4").finalist_seeds == 4
    config = tmp_path / "options.yaml"
    config.write_text("model: item_knn\nhidden_size: 64\nitem_neighbors: 50\n")
    built = spec("--config", str(config))
    assert (built.space.name, built.config.item_knn.item_neighbors) == ("item_knn", 50)
    assert built.config.model.hidden_size == 128  # of no use: noted, and left out


@pytest.fixture
def by_data(tmp_path: Path) -> str:
    """A space that depends on the data."""
    path = tmp_path / "by_data.yaml"
    path.write_text("hidden_size: {low: 8, high: items * 2}\nlearning_rate: {low: 0.001, high: 0.01}\n")
    return str(path)


def test_the_data_decide_the_space(by_data):
    assert spec("--space", by_data).space.distributions["hidden_size"] == IntDistribution(8, 38)
    assert spec("--space", by_data).space.data == DataSize(targets=len(ring_of_items().train), items=19)


def test_data_that_decide_nothing_are_not_loaded(monkeypatch):
    def refuse(data):
        raise AssertionError("they are loaded")

    given = build_parser().parse_args(["--space", "recbole"])
    assert build_spec(given, OptionsFile(), refuse).space.data is None
    given = build_parser().parse_args(["--model", "stan"])
    assert build_spec(given, OptionsFile(), refuse).recipe is None


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (["--sampler", "tpee"], "sampler: there is no 'tpee'"),
        (["--scheduler", "asaha"], "scheduler: there is no 'asaha'"),
        (["--hidden_size", "32"], "--hidden_size fixes what the space by_data searches"),
        (["--recipe", "nram"], "no recipe 'nram'"),
    ],
)
def test_a_mistake_is_said_before_the_data_are_loaded(by_data, mistake, message):
    def refuse(data):
        raise AssertionError("they are loaded")

    given = build_parser().parse_args(["--space", by_data, *mistake])
    with pytest.raises(InputError, match=message):
        build_spec(given, OptionsFile(), refuse)


@pytest.mark.parametrize(
    ("arguments", "recipe"),
    [
        (["--space", "narm"], "narm"),
        (["--preset", "full"], "narm"),
        (["--model", "local"], "narm"),
        (["--space", "narm", "--recipe", "none"], None),
        (["--space", "recbole"], None),
        (["--preset", "smoke"], None),
        (["--space", "recbole", "--recipe", "narm"], "narm"),
        (["--space", "mine.yaml"], "narm"),
        (["--space", "mine.yaml", "--recipe", "mine_too.yaml"], "mine_too.yaml"),
        (["--model", "bpr_mf"], None),
        (["--model", "v_sknn"], None),
    ],
)
def test_a_network_has_a_recipe_unless_its_space_is_to_be_searched_as_it_is(tmp_path, monkeypatch, arguments, recipe):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("learning_rate: {low: 0.001, high: 0.01}")
    Path("mine_too.yaml").write_text("learning_rate: 0.005")
    built = spec(*arguments).recipe
    assert (None if built is None else built.name) == recipe


def test_what_a_person_fixes_wins_over_the_recipe(tmp_path):
    files = {name: tmp_path / f"{name}.yaml" for name in ("options", "space", "recipe")}
    files["options"].write_text("hidden_size: 32\n")
    files["space"].write_text("hidden_size: [32, 64]\nlearning_rate: {low: 0.001, high: 0.01}\n")
    files["recipe"].write_text("hidden_size: 64\nlearning_rate: 0.005\nweight_decay: 0.001\n")
    flags = [part for name, file in files.items() for part in (f"--{name.replace('options', 'config')}", str(file))]
    built = spec(*flags, "--weight_decay", "0.1")
    assert built.recipe.options == {"learning_rate": 0.005}
    assert built.recipe_trial.options == {"hidden_size": 32, "learning_rate": 0.005}


def test_a_study_goes_on_with_the_recipe_and_the_bounds_that_it_had(tmp_path, by_data):
    place = ("--output", str(tmp_path), "--dataset", "synthetic")
    before = spec(*place, "--study", "mine", "--space", by_data)
    begin(before)
    Path(by_data).unlink()
    after = spec(*place, "--resume", "mine")
    assert (after.space, after.recipe) == (before.space, before.recipe)
    assert spec(*place, "--resume", "mine", "--recipe", "none").recipe is None


def test_a_study_from_before_there_were_recipes_goes_on_without(tmp_path, by_data):
    place = ("--output", str(tmp_path), "--dataset", "synthetic")
    with closing_study(create_study(spec(*place, "--study", "mine", "--space", by_data), "f00")) as study:
        stored = study.user_attrs[SPEC]
        del stored["recipe"]
        study.set_user_attr(SPEC, stored)
    assert spec(*place, "--resume", "mine").recipe is None


def test_what_has_nothing_to_vary_is_one_trial():
    assert spec("--model", "pop").trials_possible == 1


def test_the_objective_is_the_metric_that_chooses_the_epoch_too():
    assert spec("--objective", "recall@20").config.evaluation.objective == "recall_at_20"
    assert spec("--valid_metric", "NDCG@5").objective == "NDCG@5"


def test_a_grid_is_whole_when_nothing_is_said():
    assert spec("--sampler", "grid").trials_possible == 30
    assert spec("--sampler", "grid", "--space", "smoke").trials_possible == 5  # and the default, which lies outside
    assert spec("--sampler", "grid", "--trials", "7").trials_possible == 7


def test_threads_share_the_cores():
    assert spec("--concurrency", "1").threads == usable_cores()
    assert spec("--threads", "1").concurrency == usable_cores()


def test_results_go_below_the_output_folder(tmp_path):
    built = spec("--output", str(tmp_path), "--study", "mine")
    assert built.storage == f"sqlite:///{tmp_path}/studies.db"
    assert built.tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert built.checkpoints("checkpoints") == str(tmp_path / "mine" / "checkpoints")


def test_a_bag_may_be_asked_for_when_a_study_is_resumed(tmp_path):
    place = ("--output", str(tmp_path))
    begin(spec(*place, "--study", "mine", "--dataset", "synthetic"))
    assert spec(*place, "--resume", "mine").ship == "single"
    assert spec(*place, "--resume", "mine", "--ship", "bag").ship == "bag"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--ship", "bags"], "ship: there is no 'bags'; did you mean 'bag'?"),
        (["--ship", "bag", "--finalists", "0"], "ship: a bag is made of the finalists' runs, and finalists is 0"),
        (["--ship", "bag", "--seeds", "1"], "runs with several seeds, and finalist_seeds is 1: ask for 2 or more"),
    ],
)
def test_a_bag_of_nothing_is_refused(flags, said):
    with pytest.raises(InputError, match=re.escape(said)):
        spec(*flags)


def test_a_budget_of_runs_is_that_of_the_preset_unless_other_finalists_are_asked_for():
    assert spec().finalist_runs == PRESETS["quick"].finalist_runs
    assert spec("--finalists", "12").finalist_runs is None
    assert spec("--finalist-seeds", "3").finalist_runs is None
    assert spec("--finalists", "12", "--finalist-runs", "30").finalist_runs == 30


def test_a_study_goes_on_with_its_budget_of_runs_unless_it_is_to_have_other_finalists(tmp_path):
    place = ("--output", str(tmp_path))
    begin(spec(*place, "--study", "mine", "--dataset", "synthetic", "--finalist-runs", "9", "--finalist-time", "10m"))
    again = spec(*place, "--resume", "mine")
    assert (again.finalist_runs, again.finalist_time) == (9, 600)
    assert spec(*place, "--resume", "mine", "--finalist-seeds", "7").finalist_runs is None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ["--finalist-runs", "4"],
            "finalist_runs: 4 is too few for 4 finalists and the default configuration, each of which is trained once "
            "at least: ask for 5 or more",
        ),
        (["--finalist-runs", "0"], "finalist_runs: 0 should be 1 or more"),
        (["--finalist-time", "soon"], "finalist time: 'soon' is no duration: write 90s, 10m, 2h or none"),
    ],
)
def test_too_little_for_every_finalist_is_refused(flags, said):
    with pytest.raises(InputError, match=re.escape(said)):
        spec(*flags)


def test_a_bag_of_what_is_learned_at_once_may_be_asked_for():
    assert spec("--model", "s_knn", "--ship", "bag").finalist_seeds == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--refit", "vali"], "refit: there is no 'vali'; did you mean 'valid'?"),
        (["--refit", "all", "--finalists", "0"], "refit: a finalist's run is trained again, for as long as was best"),
        (["--finalist-epochs", "0"], "finalist_epochs: 0 should be 1 or more"),
    ],
)
def test_a_last_training_of_nothing_is_refused(flags, said):
    with pytest.raises(InputError, match=re.escape(said)):
        spec(*flags)


def test_what_ships_is_trained_again_on_validation_where_whole_sessions_are_held_out():
    assert (spec().refit_on("sessions"), spec().refit_on("events")) == ("valid", "none")
    assert spec("--finalists", "0").refit == "auto"
    assert (spec("--refit", "none").refit_on("sessions"), spec("--refit", "all").refit_on("events")) == ("none", "all")


def test_finalists_train_until_their_early_stop_but_in_the_smoke_test():
    assert (spec().finalist_epochs, spec("--preset", "full").finalist_epochs) == (None, None)
    assert spec("--preset", "smoke").finalist_epochs == 1  # no longer than a trial
    assert spec("--preset", "smoke", "--finalist-epochs", "auto").finalist_epochs is None


def test_a_model_to_compare_with_is_a_file_the_champion_or_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert spec().against is None
    assert spec("--against", "prod.pt").against == str(tmp_path / "prod.pt")
    assert spec("--against", "champion").against == "champion"
    assert spec("--against", "none").against is None
    with pytest.raises(InputError, match="against: a model is compared with the finalists, and finalists is 0"):
        spec("--against", "prod.pt", "--finalists", "0")


def test_a_model_within_the_folder_of_studies_moves_with_it(tmp_path):
    before, after = tmp_path / "runs", tmp_path / "moved"
    model = str(before / "spring" / "winner.pt")
    begin(spec("--output", str(before), "--study", "mine", "--dataset", "synthetic", "--against", model))
    before.rename(after)
    assert spec("--output", str(after), "--resume", "mine").against == str(after / "spring" / "winner.pt")
    assert spec("--output", str(after), "--resume", "mine", "--against", "none").against is None


def test_system_metrics_are_for_who_asks():
    assert spec().system_metrics is False
    assert spec("--system-metrics").system_metrics is True


def available(monkeypatch: pytest.MonkeyPatch, usable: int) -> None:
    """Let a container have so many cores."""
    bounded = Cores(usable, 64, "CPU quota")
    monkeypatch.setattr("experiments.tuning.study.spec.cores", lambda: bounded)
    monkeypatch.setattr("experiments.tuning.study.setting_rules.usable_cores", lambda: usable)


def begin(built: StudySpec) -> None:
    """Create the study, as a search does, and leave it."""
    with closing_study(create_study(built, "f00")):
        pass


OTHER_SETTINGS = (
    "--space", "smoke", "--objective", "recall@20", "--sampler", "random", "--scheduler", "hyperband", "--trials", "7",
    "--epochs", "9", "--time-budget", "none", "--finalists", "3", "--finalist-seeds", "4", "--concurrency", "1",
    "--grace-epochs", "2", "--reduction", "3", "--epoch-budget", "50", "--plateau", "20", "--max-retries", "2",
    "--recipe", "narm", "--max-failed", "50%", "--threads", "1", "--device", "cpu", "--gpus-per-trial", "0.5",
    "--tracking-uri", "http://mlflow.example.org", "--system-metrics", "--checkpoint-storage", "/mnt/all",
    "--ship", "bag", "--refit", "all", "--finalist-epochs", "40",
    "--nice", "7", "--constraint", "n_parameters <= 4123457", "--constraint", "megabytes<=1e3",
    "--against", "/models/prod.pt",
)  # fmt: skip


def test_a_resumed_study_has_every_setting_that_it_had(tmp_path):
    before = spec("--output", str(tmp_path), "--study", "mine", "--dataset", "synthetic", *OTHER_SETTINGS)
    begin(before)
    after = spec("--output", str(tmp_path), "--resume", "mine", "--preset", "full")
    assert after == replace(before, command=after.command)


def test_the_command_line_wins_over_the_study_that_is_resumed(tmp_path):
    begin(spec("--output", str(tmp_path), "--study", "mine", "--dataset", "synthetic", *OTHER_SETTINGS))
    built = spec("--output", str(tmp_path), "--resume", "mine", "--trials", "40", "--time-budget", "2h")
    assert (built.trials, built.time_budget) == (40, 7200)
    assert built.max_failed == 3  # half of the trials there were


@pytest.mark.parametrize(
    ("cores", "flags", "fits"),
    [
        (8, [], (4, 2)),
        (4, [], (2, 2)),
        (1, [], (1, 1)),
        (4, ["--threads", "1"], (4, 1)),
        (4, ["--concurrency", "1"], (1, 2)),
    ],
)
def test_a_study_goes_on_with_fewer_cores(tmp_path, monkeypatch, cores, flags, fits):
    available(monkeypatch, 8)
    place = ("--output", str(tmp_path))
    begin(spec(*place, "--study", "mine", "--dataset", "synthetic", "--concurrency", "4", "--threads", "2"))
    available(monkeypatch, cores)
    built = spec(*place, "--resume", "mine", *flags)
    assert (built.concurrency, built.threads) == fits


def test_too_many_at_once_is_refused_where_a_person_asks_for_it(tmp_path, monkeypatch):
    available(monkeypatch, 2)
    begin(spec("--output", str(tmp_path), "--study", "mine", "--dataset", "synthetic"))
    with pytest.raises(InputError, match=r"3 trials of 1 threads are too many for 2 of 64 cores \(CPU quota\)"):
        spec("--output", str(tmp_path), "--resume", "mine", "--concurrency", "3")


def test_an_address_with_a_password_is_not_stored_and_the_default_takes_its_place(tmp_path):
    secret = "postgresql://me:secret@db/mlflow"
    begin(spec("--output", str(tmp_path), "--study", "mine", "--dataset", "synthetic", "--tracking-uri", secret))
    assert spec("--output", str(tmp_path), "--resume", "mine").tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"


@dataclass(frozen=True, kw_only=True)
class PatientSpec(StudySpec):
    """With one more setting, which is all that has to be written."""

    patience: int = setting("--patience", group=ENDS, metavar="N", help="epochs", kind=int, least=1, default=5)


def test_a_setting_is_one_field(tmp_path, monkeypatch):
    monkeypatch.setattr(search_parser, "StudySpec", PatientSpec)
    monkeypatch.setattr(search_arguments, "StudySpec", PatientSpec)
    assert "--patience N" in build_parser().format_help(everything=True)
    place = ("--output", str(tmp_path), "--dataset", "synthetic")
    assert spec(*place).patience == 5
    with pytest.raises(InputError, match="patience: 0 should be 1 or more"):
        spec(*place, "--patience", "0")
    begin(spec(*place, "--study", "mine", "--patience", "8"))
    assert spec(*place, "--resume", "mine").patience == 8
    assert spec(*place, "--resume", "mine", "--patience", "9").patience == 9


def test_a_moved_study_goes_on_with_the_mlflow_and_the_checkpoints_of_its_folder(tmp_path):
    before, after = tmp_path / "runs", tmp_path / "moved"
    storage = ("--checkpoint-storage", str(before / "checkpoints"))
    begin(spec("--output", str(before), "--study", "mine", "--dataset", "synthetic", *storage))
    before.rename(after)
    built = spec("--output", str(after), "--resume", "mine")
    assert built.tracking_uri == f"sqlite:///{after}/mlflow.db"
    assert built.checkpoint_storage == str(after / "checkpoints")
    assert recorded_uri("mine", after, None) == f"sqlite:///{after}/mlflow.db"


def test_a_study_keeps_a_database_outside_its_folder_whatever_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    place = ("--output", str(tmp_path / "runs"))
    begin(spec(*place, "--study", "mine", "--dataset", "synthetic", "--tracking-uri", "sqlite:///mine.db"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert spec(*place, "--resume", "mine").tracking_uri == f"sqlite:///{tmp_path}/mine.db"


@pytest.mark.parametrize("change", [{"config": {"a_new_option": 1}}, {"space": {"name": "x"}}])
def test_a_study_of_a_later_version_is_said_to_be_one(tmp_path, change):
    built = spec("--output", str(tmp_path), "--study", "mine", "--dataset", "synthetic")
    with closing_study(create_study(built, "f00")) as study:
        study.set_user_attr(SPEC, study.user_attrs[SPEC] | change)
    with pytest.raises(InputError, match="resume: study 'mine' has settings that this version does not know"):
        spec("--output", str(tmp_path), "--resume", "mine")
