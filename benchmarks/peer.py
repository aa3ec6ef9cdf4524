"""RecBole 1.2.1, the peer we are measured against, in a virtual environment of its own.

Its requirements (numpy 1, ray 2.6.3) contradict ours, so it is never imported here: `run` starts a module of
this package in the peer's environment and reads the JSON it prints. Nothing of RecBole's code is in ours.

    python -m benchmarks.peer                                      builds the environment
    python -m benchmarks.peer benchmarks.make_golden tests/golden  then runs a module in it
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.step_timing import StepTiming
from narm.errors import InputError

REQUIREMENTS = (
    "recbole[hyperopt]==1.2.1",
    "torch==2.13.0",  # the torch of our own environment, so that only the programs differ
    "numpy<2",  # RecBole uses np.float_
    "pandas<2.3",
    "scipy<1.14",
    "scikit-learn<1.6",
    "setuptools<81",  # hyperopt 0.2.5 imports pkg_resources
    "pyarrow<21",  # reads the parquet files of the benchmarks; later ones want numpy 2
)
PYTHON_VERSION = (3, 11)
"""The newest Python that ray 2.6.3, the last one RecBole accepts, has wheels for."""

DEFAULT_VENV = Path("build/recbole")
ROOT = Path(__file__).resolve().parents[1]
STAMP = "peer-requirements.txt"
"""Written into the environment when it is complete: a build that was interrupted is done again."""


def peer_python(venv: Path = DEFAULT_VENV) -> Path:
    """Return the Python of the peer's environment, which is built first unless it stands complete.

    Args:
        venv: folder of the environment; a relative one is taken from the repository's root.
    Raises:
        InputError: the folder holds something else, or no Python that RecBole can run on is found.
    """
    folder = ROOT / venv
    python = folder / "bin" / "python"
    stamp = folder / STAMP
    wanted = "\n".join(REQUIREMENTS)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise InputError(f"--peer-venv {venv}: not a virtual environment; name a new or an empty folder")
    print(f"building RecBole's environment in {folder} (some minutes, 1.5 GB)", file=sys.stderr)
    subprocess.run([base_python(), "-m", "venv", "--clear", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def base_python() -> str:
    """Return a Python to build the environment with: this one if it is of the right version.

    Raises:
        InputError: there is none.
    """
    if sys.version_info[:2] == PYTHON_VERSION:
        return sys.executable
    name = "python{}.{}".format(*PYTHON_VERSION)
    found = shutil.which(name)
    if found is None:
        raise InputError(f"RecBole 1.2.1 needs {name}, which is not on the PATH; install it")
    return found


def run(module: str, *arguments: str, venv: Path = DEFAULT_VENV) -> str:
    """Run a module of this repository in the peer's environment and return what it printed.

    Raises:
        RuntimeError: it failed; the message ends with the tail of its standard error.
    """
    isolated = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(
        [peer_python(venv), "-m", module, *arguments],
        cwd=ROOT,
        env=isolated,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        tail = "\n".join(finished.stderr.splitlines()[-20:])
        raise RuntimeError(f"{module} failed in RecBole's environment, status {finished.returncode}:\n{tail}")
    return finished.stdout


def recbole_step_seconds(
    dataset: str,
    *,
    loss_type: str = "CE",
    n_layers: int = 1,
    embedding_size: int = 64,
    hidden_size: int = 128,
    batch_size: int = 2048,
    max_steps: int | None = None,
    max_sessions: int | None = None,
    n_threads: int | None = None,
    venv: Path = DEFAULT_VENV,
) -> StepTiming:
    """Time training steps of RecBole's NARM.

    Args:
        dataset: "ml-100k", or the path of a parquet file with session_id, item_id and timestamp.
        loss_type: CE, or BPR with RecBole's default of one uniform negative a target.
        n_layers: layers of the GRU.
        embedding_size: D.
        hidden_size: H.
        batch_size: targets a step.
        max_steps: steps to run; None runs a whole epoch.
        max_sessions: of a parquet file, train on its first sessions only; its items are all kept.
        n_threads: threads of torch; None leaves torch's own choice.
        venv: folder of RecBole's environment, built if need be.
    """
    options: dict[str, Any] = {
        "dataset": dataset if dataset == "ml-100k" else Path(dataset).resolve(),
        "loss-type": loss_type,
        "n-layers": n_layers,
        "embedding-size": embedding_size,
        "hidden-size": hidden_size,
        "batch-size": batch_size,
        "max-steps": max_steps,
        "max-sessions": max_sessions,
        "n-threads": n_threads,
    }
    given = [f"--{name}={value}" for name, value in options.items() if value is not None]
    printed = json.loads(run("benchmarks.recbole_epoch", *given, venv=venv))
    return StepTiming(**{name: as_tuple(printed[name]) for name in StepTiming.__dataclass_fields__})


def as_tuple(value: Any) -> Any:
    """Turn the lists of JSON back into the tuples of a frozen dataclass."""
    return tuple(value) if isinstance(value, list) else value


def main() -> None:
    parser = argparse.ArgumentParser(description="Build RecBole's environment and run a module in it.")
    parser.add_argument("--peer-venv", type=Path, default=DEFAULT_VENV, help="default: %(default)s")
    parser.add_argument("module", nargs="?", help="such as benchmarks.make_golden")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the module")
    options = parser.parse_args()
    try:
        peer_python(options.peer_venv)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    if options.module is not None:
        print(run(options.module, *options.arguments, venv=options.peer_venv), end="")


if __name__ == "__main__":
    main()
