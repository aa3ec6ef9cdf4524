"""`python -m experiments.train`, called as a person calls it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import train as train_command
from experiments.cli.running import run_command

ROOT = Path(__file__).parents[2]
SMALL = ["--dataset", "synthetic", "--embedding_size", "16", "--hidden-size", "16", "--threads", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty one, in which commands are called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(*arguments: str) -> int:
    return run_command(train_command.main, [*SMALL, *arguments])


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which knows this checkout and no more of the environment."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_a_run_interrupted_and_resumed_is_the_run_that_was_not(folder, capsys):
    whole = python("-m", "experiments.train", *SMALL, "--epochs", "4", "--json", "whole.json", folder=folder)
    assert whole.returncode == 0, whole.stderr
    assert train("--epochs", "2", "--checkpoint", "run.pt", "--quiet") == 0
    assert capsys.readouterr().out == ""
    assert train("--epochs", "4", "--checkpoint", "run.pt") == 2
    assert "run.pt exists: add --resume" in capsys.readouterr().err
    assert train("--epochs", "4", "--checkpoint", "run.pt", "--resume", "--json", "resumed.json") == 0

    records = [json.loads((folder / name).read_text()) for name in ("whole.json", "resumed.json")]
    for record in records:
        assert list(record) == ["dataset", "config", "n_parameters", "epochs", "best", "test"]
        for epoch in record["epochs"]:
            assert epoch.pop("seconds") > 0
            assert epoch.pop("targets_per_second") > 0
    assert records[0] == records[1]
    assert [epoch["epoch"] for epoch in records[0]["epochs"]] == [1, 2, 3, 4]
    test = records[0]["test"]
    assert test["overall"]["intervals"]["mrr_at_10"][0] < test["overall"]["metrics"]["mrr_at_10"]
    assert {each["by"] for each in test["slices"]} == {"session length", "position", "popularity"}
    assert 0 < test["exposure"]["coverage_at_10"] <= 1
    assert "popularity bias@10" in whole.stdout
    best = records[0]["best"]
    assert best["valid"] == records[0]["epochs"][best["epoch"] - 1]["valid"]


@pytest.mark.parametrize(
    "negatives",
    [
        "{'distribution':'uniform','sample_num':1}",
        "{'distribution':'popularity','sample_num':2,'alpha':0.5}",
        "{'distribution':'uniform','sample_num':1,'dynamic':True,'candidate_num':5}",
    ],
)
def test_bpr_learns_with_every_kind_of_negatives(negatives, folder):
    options = ["--loss_type", "BPR", "--train_neg_sample_args", negatives, "--learning_rate", "0.01"]
    assert train(*options, "--epochs", "6", "--json", "bpr.json") == 0
    epochs = json.loads((folder / "bpr.json").read_text())["epochs"]
    assert epochs[-1]["train_loss"] < epochs[0]["train_loss"]
    assert epochs[-1]["valid"]["mrr_at_10"] > epochs[0]["valid"]["mrr_at_10"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hiden_size", "3"], "did you mean '--hidden_size'?"),
        (["--hidden_size", "0"], "hidden_size: '0'"),
        (["--train_neg_sample_args", "{'sample_num': 1}"], "must be None when loss_type is CE"),
        (["--resume"], "--resume needs --checkpoint FILE"),
        (["--resume", "--checkpoint", "none.pt"], "none.pt: no such checkpoint"),
        (["--json", "."], "is a folder"),
        (["--threads", "0"], "threads: 0"),
        (["--device", "tpu"], "'tpu' is none of auto, cpu, cuda"),
        (["--config", "none.yaml"], "none.yaml"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, message, capsys):
    assert train(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_the_five_lines_of_the_readme_run(folder):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    code = code.replace('dataset="ml-100k"', 'dataset="synthetic", epochs=1, hidden_size=16')
    done = python("-c", code, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "recall_at_10" in done.stdout
