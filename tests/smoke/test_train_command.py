"""`python -m experiments.train`, called as a person calls it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ["--dataset", "synthetic", "--embedding_size", "16", "--hidden-size", "16", "--threads", "1"]


def train(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "experiments.train", *arguments]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True
    )


def test_a_run_interrupted_and_resumed_is_the_run_that_was_not(tmp_path):
    whole = train(*SMALL, "--epochs", "4", "--json", "whole.json", folder=tmp_path)
    assert whole.returncode == 0, whole.stderr
    first = train(*SMALL, "--epochs", "2", "--checkpoint", "run.pt", "--quiet", folder=tmp_path)
    assert (first.returncode, first.stdout) == (0, "")
    refused = train(*SMALL, "--epochs", "4", "--checkpoint", "run.pt", folder=tmp_path)
    assert refused.returncode == 2
    assert "run.pt exists: add --resume" in refused.stderr
    second = train(
        *SMALL, "--epochs", "4", "--checkpoint", "run.pt", "--resume", "--json", "resumed.json", folder=tmp_path
    )
    assert second.returncode == 0, second.stderr

    records = [json.loads((tmp_path / name).read_text()) for name in ("whole.json", "resumed.json")]
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
def test_bpr_learns_with_every_kind_of_negatives(negatives, tmp_path):
    options = ["--loss_type", "BPR", "--train_neg_sample_args", negatives, "--learning_rate", "0.01"]
    done = train(*SMALL, *options, "--epochs", "6", "--json", "bpr.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    epochs = json.loads((tmp_path / "bpr.json").read_text())["epochs"]
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
def test_a_mistake_is_one_line_and_status_2(arguments, message, tmp_path):
    done = train(*SMALL, *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_the_five_lines_of_the_readme_run(tmp_path):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    code = code.replace('dataset="ml-100k"', 'dataset="synthetic", epochs=1, hidden_size=16')
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "recall_at_10" in done.stdout
