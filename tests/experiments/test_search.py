"""From a command line to a study, and every kind of mistake on the way."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import ray

from experiments import search
from experiments.cli.presets import PRESETS
from experiments.cli.running import run_command
from experiments.cli.search_arguments import build_spec, read_duration, read_max_failed
from experiments.cli.search_parser import build_parser
from experiments.tuning.study.spec import StudySpec
from narm.config import LEARNED_AT_ONCE, ModelName
from narm.config_file import OptionsFile, read_config
from narm.errors import InputError
from narm.machine.threads import usable_cores


def spec(*arguments: str) -> StudySpec:
    given = build_parser().parse_args(arguments)
    return build_spec(given, read_config(Path(given.config)) if given.config else OptionsFile())


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
        (["--space", "conditional.yaml"], "tpe"),
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


@pytest.mark.parametrize("model", get_args(ModelName)[1:])
def test_a_model_is_searched_in_the_space_of_its_name(model):
    built = spec("--model", model.replace("_", "-").upper())
    assert built.config.model.model == model
    assert built.space.name == model
    at_once = model in LEARNED_AT_ONCE
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


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("10m", 600), ("2h", 7200), ("none", None)]
)
def test_durations(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "10 parsecs", "1h30m", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InputError, match="write 90s, 10m, 2h or none"):
        read_duration(text)


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("0.5", 10), ("25%", 5), ("none", None), ("0", 0)])
def test_failures_are_counted_or_a_share(text, count):
    assert read_max_failed(text, trials=20) == count


@pytest.mark.parametrize("text", ["", "-1", "1.5", "120%", "many"])
def test_what_is_no_number_of_failures_is_refused(text):
    with pytest.raises(InputError, match=r"write 3, 0\.5, 50% or none"):
        read_max_failed(text, trials=20)


FILES = {
    "bad_key.yaml": "learning_rat: 0.1\n",
    "bad_value.yaml": "\nhidden_size: zero\n",
    "torn.yaml": "a: [1,\n",
    "queue.yaml": "configurations:\n  - {hiden_size: 16}\n",
    "typo.hyper": "learning_rate choice [0.01]\nhiden_size choice [8]\n",
    "bounds.yaml": "hidden_size: [0, 8]\n",
    "ranges.yaml": "learning_rate: {low: 0.001, high: 0.1}\n",
    "empty.inter": "",
    "header.inter": "user_id:token\titem:token\n1\t2\n",
    "time.inter": "user_id:token\titem_id:token\ttimestamp:float\nu\ti\tnoon\n",
    "short.inter": "user_id:token\titem_id:token\ttimestamp:float\nu\ti\t1\nv\tj\t2\n",
    "nothing.yaml": "# nothing yet\n",
    "a file": "",
}

MISTAKES: dict[str, tuple[list[str], str]] = {
    "an unknown flag": (["--learning_rat", "1"], "did you mean '--learning_rate'?"),
    "a missing value": (["--trials"], "expected one argument"),
    "no number": (["--trials", "many"], "invalid int value: 'many'"),
    "no trials": (["--trials", "0"], "trials: 0 should be 1 or more"),
    "no concurrency": (["--concurrency", "0"], "concurrency: 0 should be 1 or more"),
    "no threads": (["--threads", "0"], "threads: 0 should be 1 or more"),
    "too many threads": (["--threads", "4096"], "too many for"),
    "an unknown preset": (["--preset", "huge"], "preset: there is no 'huge'; known: smoke, quick, full"),
    "an unknown sampler": (["--sampler", "tpee"], "sampler: there is no 'tpee'; did you mean 'tpe'?"),
    "an unknown scheduler": (["--scheduler", "asaha"], "scheduler: there is no 'asaha'; did you mean 'asha'?"),
    "an unknown device": (["--device", "abacus"], "device: 'abacus' is none of auto, cpu, cuda"),
    "an unknown metric": (["--objective", "MRR"], "'MRR' is not a metric"),
    "an unknown cost": (["--objective", "MRR@10,secnds"], "'secnds' is no cost to minimise"),
    "a scheduler for two objectives": (
        ["--objective", "MRR@10,n_parameters", "--scheduler", "asha"], "asha ranks trials by one objective"
    ),
    "nothing to resume": (["--resume", "nothing"], "study: there is no 'nothing'"),
    "no study to start from": (["--warm-start", "nothing"], "study: there is no 'nothing'"),
    "a bad number of failures": (["--max-failed", "many"], "'many' is no number or share"),
    "a queue that is none": (["--enqueue", "bad_key.yaml"], "bad_key.yaml:1: expected one key"),
    "a typo in a queue": (["--enqueue", "queue.yaml"], "queue.yaml:2: 'hiden_size' is not searched by smoke"),
    "a bad duration": (["--time-budget", "soon"], "'soon' is no duration"),
    "a value out of bounds": (["--embedding_size", "0"], "embedding_size"),
    "a bad seed": (["--seed", "-1"], "seed"),
    "no validation": (["--eval_step", "50"], "eval_step: 50 never validates in 3 epochs"),
    "a bad study name": (["--study", "a/b"], "study: 'a/b' is no name for a folder"),
    "no such space": (["--space", "smoek"], "did you mean 'smoke'?"),
    "a typo in a space": (["--space", "typo.hyper"], "typo.hyper:2: unknown option 'hiden_size'"),
    "a space out of bounds": (["--space", "bounds.yaml"], "bounds.yaml:1: "),
    "a fixed option in a space": (["--space", "recbole", "--n_layers", "2"], "--n_layers fixes what the space"),
    "a grid of ranges": (["--space", "ranges.yaml", "--sampler", "grid"], "grid needs a finite space"),
    "an unknown model": (["--model", "narn"], "model: 'narn': input should be 'narm', 'global'"),
    "an option of another model": (
        ["--model", "v_sknn", "--hidden_size", "64"], "hidden_size is no option of model v_sknn; its options: k_neig"
    ),
    "epochs of a model without": (["--model", "pop", "--epochs", "5"], "epochs is no option of model pop"),
    "the space of another model": (
        ["--model", "v_sknn", "--space", "smoke"], "smoke.yaml:3: learning_rate is no option of model v_sknn"
    ),
    "nothing to search": (["--space", "nothing.yaml"], "nothing.yaml: no parameter in it: model narm has embedding"),
    "no such config": (["--config", "none.yaml"], "none.yaml"),
    "a typo in the config": (["--config", "bad_key.yaml"], "bad_key.yaml:1: unknown option 'learning_rat'"),
    "a wrong value in the config": (["--config", "bad_value.yaml"], "bad_value.yaml:2: "),
    "a torn config": (["--config", "torn.yaml"], "torn.yaml:"),
    "no such dataset": (["--dataset", "none.inter"], "none.inter"),
    "an empty dataset": (["--dataset", "empty.inter"], "empty.inter"),
    "a wrong header": (["--dataset", "header.inter"], "header.inter"),
    "a time that is none": (["--dataset", "time.inter"], "noon"),
    "one-event sessions": (["--dataset", "short.inter"], "short: no sessions left"),
    "an unwritable output": (["--output", "a file/runs"], "output: a file/runs cannot be written"),
    "an unknown storage": (["--storage", "carrier://pigeon"], "storage: carrier://pigeon cannot be opened"),
    "an unknown tracking URI": (["--tracking-uri", "ftp://there"], "tracking URI 'ftp://there'"),
    "an existing study": (["--study", "taken"], "study: runs/taken exists already"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_status_2_before_ray_starts(mistake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("runs/taken").mkdir(parents=True)
    for name, content in FILES.items():
        Path(name).write_text(content)
    arguments, message = MISTAKES[mistake]
    assert run_command(search.main, ["--preset", "smoke", "--quiet", *arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not ray.is_initialized()


def test_system_metrics_are_for_who_asks():
    assert spec().system_metrics is False
    assert spec("--system-metrics").system_metrics is True
