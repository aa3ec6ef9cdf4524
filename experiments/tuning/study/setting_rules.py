"""How settings of a search are read, and what they are where nothing is said.

What computes is imported where it is used: the command line builds its help of the settings, and does without torch,
Ray and Optuna, which take seconds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.tuning.study.folder import MLFLOW
from experiments.tuning.study.setting import Derived, Settled
from experiments.tuning.worker.addresses import (
    OUTPUT,
    absolute_tracking_uri,
    located,
    mask_credentials,
    portable,
    sqlite_file,
    sqlite_url,
)
from narm.config import EvaluationConfig
from narm.errors import InputError
from narm.machine.capacity import usable_cores
from narm.machine.device import resolve_device
from narm.text.suggestion import did_you_mean

if TYPE_CHECKING:
    from experiments.tuning.study.constraints import Constraint
    from experiments.tuning.study.objectives import Objective
    from search_spaces.recipe import Recipe, RecipeFile
    from search_spaces.space import SearchSpace
    from search_spaces.space_file import SpaceFile


CHAMPION = "champion"
"""The alias in the registry of the model in use, and what `--against` calls it."""


def read_duration(text: str, what: str = "time budget") -> float | None:
    """Seconds of `90`, `90s`, `10m` or `2h`; None, no limit, of `none`.

    Args:
        text: as it was written.
        what: what to call it in an error.
    Raises:
        InputError: it is none of these, or not positive.
    """
    if text == "none":
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if seconds <= 0:
        raise InputError(f"{what}: '{text}' is no duration: write 90s, 10m, 2h or none")
    return seconds


def read_max_failed(text: str) -> int | Derived | None:
    """Trials that may fail: a number (`3`), a share of all trials (`0.5`, `50%`), or None, any number, of `none`.

    Raises:
        InputError: it is none of these.
    """
    if text == "none":
        return None
    match = re.fullmatch(r"(\d+)|(0?\.\d+)|(\d+(?:\.\d+)?)%", text.strip())
    if match is None or (match[3] and float(match[3]) > 100):
        raise InputError(f"max failed: '{text}' is no number or share of trials: write 3, 0.5, 50% or none")
    if match[1]:
        return int(match[1])
    return share_of_trials(float(match[2]) if match[2] else float(match[3]) / 100)


def read_finalist_epochs(text: str) -> int | None:
    """Epochs of a finalist at most; None of `auto`: until its early stopping ends it.

    Raises:
        InputError: it is neither `auto` nor a whole number.
    """
    if text == "auto":
        return None
    if not re.fullmatch(r"\d+", text.strip()):
        raise InputError(f"finalist epochs: '{text}' is no number of epochs: write 50, or auto")
    return int(text)


def share_of_trials(share: float) -> Derived:
    """This share of the number of trials, rounded down."""
    return Derived(lambda settled: int(share * settled["trials"]))


def known_name(what: str, known: Collection[str], name: str) -> str:
    """The name, if it is known.

    Raises:
        InputError: it is not; the message suggests the nearest one.
    """
    if name not in known:
        raise InputError(f"{what}: there is no '{name}'{did_you_mean(name, known)}")
    return name


def read_space(text: str) -> SpaceFile:
    """A space by its name or file, which the data may yet decide."""
    from search_spaces.space_file import find_space

    return find_space(text)


def store_space(space: SearchSpace) -> dict[str, Any]:
    """The space with the text of its file, which may change, and the size of the data, if that decides anything."""
    stored = {"name": space.name, "file": space.file, "source": space.source}
    return stored if space.data is None else {**stored, "data": asdict(space.data)}


def restore_space(stored: dict[str, Any]) -> SearchSpace:
    """The space of a study, as it was."""
    from search_spaces.data_size import DataSize
    from search_spaces.space import parse_space

    size = DataSize(**stored["data"]) if "data" in stored else None
    return parse_space(stored["name"], stored["file"], stored["source"], size)


def read_recipe(text: str) -> RecipeFile | None:
    """A recipe by its name or file; None of `none`."""
    from search_spaces.recipe import find_recipe

    return None if text == "none" else find_recipe(text)


def store_recipe(recipe: Recipe | None) -> dict[str, Any] | None:
    """The recipe as it is for the study's data and options, since its file may change."""
    return None if recipe is None else {"name": recipe.name, "options": dict(recipe.options)}


def restore_recipe(stored: dict[str, Any] | None) -> Recipe | None:
    """The recipe of a study, as it was."""
    from search_spaces.recipe import Recipe

    return None if stored is None else Recipe(**stored)


def read_against(text: str) -> str | None:
    """`champion`, or the file of a model, as an absolute path; None of `none`."""
    if text in ("none", CHAMPION):
        return None if text == "none" else text
    return str(Path(text).absolute())


def store_against(model: str | None, output: Path) -> str | None:
    """A file within the folder of all studies moves with it."""
    return model if model in (None, CHAMPION) else portable(model, output)


def restore_against(stored: str | None) -> Any:
    """The same, in the folder where the studies are now."""
    if stored in (None, CHAMPION):
        return stored
    return Derived(lambda settled: located(stored, settled["output"]))


def read_objectives(text: str) -> tuple[Objective, ...]:
    """Objectives of `MRR@20,n_parameters`."""
    from experiments.tuning.study.objectives import parse_objectives

    return parse_objectives(text)


def store_objectives(objectives: tuple[Objective, ...]) -> str:
    """`MRR@20,n_parameters`, as `read_objectives` reads it."""
    from experiments.tuning.study.objectives import describe

    return describe(objectives)


def read_constraints(texts: Sequence[str]) -> tuple[Constraint, ...]:
    """Constraints of texts such as `megabytes <= 50`."""
    from experiments.tuning.study.constraints import parse_constraints

    return parse_constraints(texts)


def store_constraints(constraints: tuple[Constraint, ...]) -> list[str]:
    """Texts that `read_constraints` reads."""
    return [str(constraint) for constraint in constraints]


def default_objectives(settled: Settled) -> tuple[Objective, ...]:
    """The metric that chooses the epoch."""
    return read_objectives(EvaluationConfig().valid_metric)


def default_sampler(settled: Settled) -> str:
    """What suits the space, the trials and the objectives."""
    from experiments.tuning.optimizer import samplers

    n_objectives = len(settled["objectives"])
    return samplers.default_sampler(settled["space"], trials=settled["trials"], n_objectives=n_objectives)


def default_scheduler(settled: Settled) -> str:
    """Schedulers rank trials by one objective."""
    return "asha" if len(settled["objectives"]) == 1 else "none"


def default_reduction(settled: Settled) -> int:
    """What benchmarks found best."""
    from experiments.tuning.optimizer.scheduler import REDUCTION

    return REDUCTION


def default_concurrency(settled: Settled) -> int:
    """As many trials as the cores allow: two trials of one thread beat one trial of two."""
    threads: int = settled.get("threads", 1)
    return max(1, usable_cores() // max(1, threads))


def default_threads(settled: Settled) -> int:
    """The cores, shared among the trials."""
    concurrency: int = settled["concurrency"]
    return max(1, usable_cores() // max(1, concurrency))


def fitting_here(settled: Settled, *, fixed: Collection[str]) -> dict[str, int]:
    """Threads and trials at once of a study that goes on, no more than this machine has cores for.

    Args:
        settled: settings of the study, which may have begun on a larger machine.
        fixed: names of those that a person has just asked for.
    """
    threads, concurrency, available = settled["threads"], settled["concurrency"], usable_cores()
    if settled["address"] or resolve_device(settled["device"]).type != "cpu":
        return {}
    if "threads" not in fixed:
        threads = min(threads, available)
    if "concurrency" not in fixed:
        concurrency = min(concurrency, max(1, available // threads))
    return {"threads": threads, "concurrency": concurrency}


def default_gpus_per_trial(settled: Settled) -> float:
    """Trials share the GPU where there is one."""
    return 1 / settled["concurrency"] if resolve_device(settled["device"]).type == "cuda" else 0.0


def store_tracking_uri(uri: str, output: Path) -> str | None:
    """An address with a password is not stored."""
    return portable(absolute_tracking_uri(uri), output) if mask_credentials(uri) == uri else None


def restore_tracking_uri(stored: str | None) -> Any:
    """The address, or the default of one that was not stored."""
    if stored is None:
        return Derived(default_tracking_uri)
    return Derived(lambda settled: stored_tracking_uri(stored, settled["output"]))


def stored_tracking_uri(stored: str, output: Path) -> str:
    """MLflow's address, as it is stored, for studies that are in this folder now.

    Studies of earlier versions hold the path of a database that was in their folder; it may have moved with them.
    """
    file = sqlite_file(stored)
    if OUTPUT in stored or file is None or file.name != MLFLOW or file.exists():
        return located(stored, output)
    has_moved = (output / MLFLOW).exists() or not file.parent.exists()
    return default_tracking_uri({"output": output}) if has_moved else stored


def store_checkpoint_storage(address: str | None, output: Path) -> str | None:
    """A folder within that of all studies moves with it."""
    if address is None or "://" in address:
        return address
    return portable(str(Path(address).absolute()), output)


def restore_checkpoint_storage(stored: str | None) -> Any:
    """The address, in the folder where the studies are now."""
    return None if stored is None else Derived(lambda settled: located(stored, settled["output"]))


def default_tracking_uri(settled: Settled) -> str:
    """SQLite in the output folder."""
    return sqlite_url((settled["output"] / MLFLOW).resolve())
