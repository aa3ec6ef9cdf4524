"""Every kind of mistake on a command line of a search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import ray

from experiments import search
from experiments.cli.running import run_command

FILES = {
    "bad_key.yaml": "learning_rat: 0.1\n",
    "bad_value.yaml": "\nhidden_size: zero\n",
    "torn.yaml": "a: [1,\n",
    "queue.yaml": "configurations:\n  - {hiden_size: 16}\n",
    "typo.hyper": "learning_rate choice [0.01]\nhiden_size choice [8]\n",
    "bounds.yaml": "hidden_size: [0, 8]\n",
    "by_data.yaml": "n_layers: [1]\nhidden_size: {low: 64, high: items / 9}\n",
    "unit.yaml": "hidden_size: {low: 64, high: item / 9}\n",
    "recipe.yaml": "\nhiden_size: 64\n",
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
    "a plan of what was begun": (["--plan", "--resume", "s"], "--plan is for a new study"),
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
    "nothing to resume": (["--resume", "nothing"], "there is no database "),
    "no study to start from": (["--warm-start", "nothing"], "there is no database "),
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
    "a space too large for the data": (
        ["--space", "by_data.yaml"], "by_data.yaml:2: hidden_size: low 64 is above high 11 (high: items / 9; the data"
    ),
    "a typo in a size of the data": (["--space", "unit.yaml"], "unit.yaml:1: hidden_size: 'item' is no size of"),
    "a typo in a recipe": (["--recipe", "recipe.yaml"], "recipe.yaml:2: unknown option 'hiden_size'"),
    "no such recipe": (["--recipe", "nram"], "no recipe 'nram'; did you mean 'narm'?"),
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
    "a metric of lists as the objective": (
        ["--objective", "coverage@10"], "'coverage@10' cannot choose between models: coverage is of a whole set of"
    ),
    "a metric of lists to choose by": (["--valid_metric", "gini@10"], "'gini@10' cannot choose between models"),
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


def test_a_plan_says_what_a_search_would_take_and_begins_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["--preset", "smoke", "--time-budget", "1h", "--plan"]
    assert run_command(search.main, command) == 0
    said = capsys.readouterr().out
    assert "4 from the space" in said
    assert "The time budget of 1 h 0 min holds about" in said
    assert run_command(search.main, [*command, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) >= {"default", "recipe", "drawn", "search_seconds"}
    assert not list(tmp_path.rglob("*"))
    assert not ray.is_initialized()
