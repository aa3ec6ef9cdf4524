"""Records RecBole's settings of NARM, how it reads a search file, and which files it was released as."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import recbole  # type: ignore[import-not-found]

from benchmarks.golden.data import write_json
from benchmarks.recbole_setup import narm_config

from recbole.trainer import HyperTuning  # type: ignore[import-not-found]  # isort: skip

SEARCH_LINES = (
    "learning_rate choice [0.01,0.005,0.001,0.0005,0.0001]",
    "dropout_probs choice ['[0.25,0.5]','[0.2,0.2]','[0.1,0.2]']",
    "dropout_probs choice ['[0.25, 0.5]', '[0.2, 0.2]']",
    'loss_type choice ["CE","BPR"]',
    "loss_type choice ['CE', 'B PR']",
    "learning_rate choice [1e-3, 1e-2]",
    "clip_grad_norm choice [None, 5]",
    "n_layers choice (1,2)",
    "n_layers choice 1,2",
    "n_layers choice [1]",
    "n_layers choice []",
    "n_layers choice 3",
    "loss_type choice [CE,BPR]",
    "n_layers choice [1,2",
    "  n_layers choice [1,2]  ",
    "n_layers  choice [1,2]",
    "n_layers choice  [1,2]",
    "n_layers choice [ 1 , 2 ]",
    "n_layers\tchoice\t[1,2]",
    "n_layers\tchoice [1,2] x",
    "n_layers choice\t[1,2]",
    "n_layers choice [1,2] # note",
    "# n_layers choice [1,2]",
    "# note",
    "#",
    "",
    "n_layers choice",
    "n_layers Choice [1,2]",
    "n_layers normal 0,1",
    "n_layers:choice [1,2] x",
    "dropout uniform 0,0.5",
    "dropout uniform 0, 0.5",
    "dropout uniform 0.5,0",
    "dropout uniform 0,0",
    "dropout uniform [0,0.5]",
    "dropout uniform 0 0.5",
    "dropout uniform 0,0.5,0.1",
    "dropout uniform 0,0.5 # note",
    "dropout uniform 0,half",
    "hidden_size quniform 16,256,16",
    "hidden_size quniform 16,256",
    "hidden_size quniform 16,256,0",
    "learning_rate loguniform -8,0",
    "learning_rate loguniform -8, 0",
    "learning_rate loguniform 1e-4,1e-1",
    "learning_rate loguniform -8,0,1",
)
"""Single lines of a search file: each type, and every trap of a grammar that is split on single spaces."""


def record_search_grammar(folder: Path) -> None:
    """Record what RecBole makes of single lines of a search file: skipped, an error, or a distribution."""
    cases = [{"line": line} | outcome(line) for line in SEARCH_LINES]
    write_json(folder / "recbole_search_lines.json", cases)


def outcome(line: str) -> dict[str, Any]:
    """Return what RecBole reads from a file of this one line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hyper.test"
        file.write_text(line + "\n", encoding="utf-8")
        try:
            space = HyperTuning._build_space_from_file(file)
        except Exception as error:  # whatever RecBole raises is the answer
            return {"error": f"{type(error).__name__}: {error}"}
    if not space:
        return {"skipped": True}
    [(name, node)] = space.items()
    return {"name": name, **distribution(node)}


def distribution(node: Any) -> dict[str, Any]:
    """Return type and arguments of hyperopt's expression of one hyperparameter."""
    if node.name == "switch":
        return {"type": "choice", "values": [plain(value) for value in node.pos_args[1:]]}
    drawn = node.pos_args[0].pos_args[1]  # float(hyperopt_param(name, drawn))
    return {"type": drawn.name, "arguments": [value.obj for value in drawn.pos_args]}


def plain(node: Any) -> Any:
    """Return the Python value of one option of a choice."""
    return [plain(value) for value in node.pos_args] if node.name == "pos_args" else node.obj


def record_settings(folder: Path) -> None:
    """Record every setting that NARM has a default of: on any dataset, and what differs on ml-100k."""
    general = internal_defaults("some-dataset")
    special = internal_defaults("ml-100k")
    write_json(folder / "recbole_keys.json", general)
    write_json(
        folder / "recbole_keys_ml100k.json",
        {key: value for key, value in special.items() if key not in general or general[key] != value},
    )


def internal_defaults(dataset: str) -> dict[str, Any]:
    """Return the settings RecBole starts from, before a file, a dict or a command line changes them."""
    settings = narm_config(dataset).internal_config_dict
    return {key: settings[key] for key in sorted(settings) if key != "MODEL_TYPE"}


def record_release(folder: Path) -> None:
    """Record name and checksum of RecBole's wheel as the package index serves it, and of ml-100k in it."""
    with tempfile.TemporaryDirectory() as downloads:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        requirement = f"recbole=={recbole.__version__.lstrip('v')}"
        subprocess.run([*download, "--dest", downloads, requirement], check=True, stdout=subprocess.DEVNULL)
        [wheel] = Path(downloads).iterdir()
        release = {"wheel": wheel.name, "wheel_sha256": sha256(wheel)}
    member = "recbole/dataset_example/ml-100k/ml-100k.inter"
    installed = Path(recbole.__file__).parents[1] / member
    release |= {"ml100k_member": member, "ml100k_sha256": sha256(installed)}
    write_json(folder / "recbole_release.json", release)


def sha256(file: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
