"""The eight changes of docs/contributing.md: each patch applies, touches as many files as it says, and works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
PATCHES = re.findall(r"^### (.+?)$.*?^```diff\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
CHANGES = dict(re.findall(r"^\| (an? [^|]+?) \| (\d) \|", GUIDE, re.MULTILINE))

USE = """
import json, sys
import numpy as np, optuna, torch
from pathlib import Path
from experiments.cli.commands import COMMANDS
from experiments.cli.search_arguments import build_spec
from experiments.cli.search_parser import build_parser
from experiments.tuning.engine.proposals import Proposer
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.study.stored_spec import restored_settings, stored_spec
from narm.config import Config
from narm.config_file import OptionsFile
from narm.data.datasets import load_splits
from narm.evaluation.full_ranking import evaluate
from narm.training import create_model, fit

parser = build_parser()
arguments = ["--sampler", "nsga2", "--scheduler", "patience", "--objective", "RBP@10", "--dataset", "log.jsonl"]
spec = build_spec(parser.parse_args([*arguments, "--fresh-workers", "--embedding_scale", "0.5"]), OptionsFile())
study = optuna.create_study(direction="maximize")
config = spec.config.replace({"model": "last_item"})
splits = load_splits(config.data)
model = create_model(splits.n_items, config)
(epoch,) = fit(model, splits, config.training, config.evaluation)
small, usual = (
    create_model(splits.n_items, Config.from_flat(embedding_scale=scale)).item_embedding.weight for scale in (0.5, 1)
)
print(json.dumps({
    "a sampler": sorted(Proposer(SAMPLERS[spec.sampler], spec.space, 1).propose(study).params),
    "a scheduler": type(spec.build_scheduler()).__name__,
    "a metric": [spec.objective, round(epoch.best["rbp_at_10"], 3)],
    "a hyperparameter": bool(torch.allclose(small, usual / 2)),
    "a reader": [splits.n_items - 1, len(splits.train)],
    "a command": COMMANDS["spaces"].main([]),
    "a model": type(model).__name__,
    "a setting of the search": restored_settings(json.loads(json.dumps(stored_spec(spec, "f"))))["fresh_workers"],
}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code with all eight changes."""
    folder = tmp_path_factory.mktemp("contributing")
    for package in ("narm", "search_spaces", "experiments"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for _, patch in PATCHES:
        subprocess.run(["git", "apply"], cwd=folder, input=patch, text=True, check=True)
    return folder


def test_each_change_says_how_many_files_it_touches():
    assert len(CHANGES) == 8
    counted = {name[0].lower() + name[1:]: str(patch.count("diff --git")) for name, patch in PATCHES}
    assert counted == CHANGES


def test_the_changes_work_together(copy: Path):
    events = [
        {"session_id": s, "item_id": 1 + (s + t) % 7, "timestamp": 10 * s + t} for s in range(40) for t in (1, 2, 2)
    ]
    (copy / "log.jsonl").write_text("\n".join(json.dumps(event) for event in events) + "\n")
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, "-c", USE]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stderr.splitlines()[-1])
    assert found.keys() == CHANGES.keys()
    assert found["a sampler"] == ["dropout_probs", "hidden_size", "learning_rate", "n_layers"]
    assert found["a scheduler"] == "Patience"
    assert found["a metric"][0] == "RBP@10"
    assert found["a metric"][1] > 0
    assert found["a hyperparameter"] is True
    assert found["a reader"] == [7, 64]
    assert found["a command"] == 0
    assert "narm" in done.stdout.split()
    assert found["a model"] == "LastItem"
    assert found["a setting of the search"] is True
