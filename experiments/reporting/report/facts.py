"""What a report says beside the trials: commands to go on with, settings, data, environment."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments.reporting.durations import format_duration
from experiments.tracking.tracker import where_to_look
from experiments.tuning.study.finalist_epochs import finalist_epochs
from experiments.tuning.study.job_log import jobs_in
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.stored_spec import Record
from experiments.tuning.study.summary import TRAINED_ON, Summary
from experiments.tuning.study.trial_attributes import trials_of
from experiments.tuning.worker.addresses import mask_credentials
from narm.config import Config

_OF_THE_SEARCH = {"epochs", "seed", "valid_metric"}  # they are shown with the settings


def shipped_options(saved: SavedStudy) -> dict[str, Any]:
    """Options of the recommended trial that are not NARM's defaults, the data's included; empty without a winner."""
    number = saved.summary.recommended
    trial = next((trial for trial in saved.summary.trials if trial.number == number), None)
    if trial is None:
        return {}
    config, defaults = Config.from_flat(saved.record["config"]), Config().flat()
    own = config.replace({**trial.params, "epochs": _epochs(saved, config, trial.params)}).flat()
    return {name: value for name, value in own.items() if name == "dataset" or value != defaults[name]}


def _epochs(saved: SavedStudy, config: Config, params: Mapping[str, Any]) -> int:
    """Epochs of a finalist of that configuration at most; in studies of earlier versions those of a trial."""
    if saved.summary.finals is None or "finalist_epochs" not in saved.record:
        return config.training.epochs
    return finalist_epochs(params, config, saved.record["finalist_epochs"])


def train_command(saved: SavedStudy) -> str | None:
    """How a model of the recommended configuration is trained; None without a winner."""
    given = shipped_options(saved)
    flags = [part for name, value in given.items() for part in (f"--{name}", _as_argument(value))]
    return shlex.join(["python", "-m", "experiments.train", *flags]) if given else None


def _as_argument(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def commands(saved: SavedStudy) -> dict[str, str]:
    """Shell commands, by what they do."""
    record, train = saved.record, train_command(saved)
    found = {"Train this configuration": train} if train else {}
    found["Go on with the search"] = f"{saved.resume_command} --trials {2 * record['trials']}"
    found["Search again"] = saved.summary.command
    if record["tracking_uri"]:
        found["See every run in MLflow"] = where_to_look(record["tracking_uri"])
    found["See the study in optuna-dashboard"] = saved.dashboard_command
    return found


def settings(saved: SavedStudy) -> dict[str, str]:
    """How the search was set up, in a reader's words."""
    record, summary = saved.record, saved.summary
    budget = record["time_budget"]
    told = {
        "objective": record["objectives"],
        **_constraints(record),
        "space": record["space"]["name"],
        **_by_data(summary),
        **_recipe(summary),
        "sampler": record["sampler"],
        "scheduler": record["scheduler"],
        "trials at most": record["trials"],
        "epochs of a trial at most": record["config"]["epochs"],
        "time budget": format_duration(budget) if budget else "none",
        "at once": f"{record['concurrency']} trials of {record['threads']} threads",
        "finalists": finalists_of(record),
        "epochs of a finalist at most": _finalist_epochs(record),
        "ships": record.get("ship", "single"),
        "refit": _refit(summary),
        **_against(record),
        "seed": summary.seed,
        "began": _began(saved),
        "ended": summary.stop_reason or "not yet",
        "training, over all trials": training_time(summary),
        "wall clock of the last session": format_duration(summary.timing.wall_s),
    }
    return {name: str(value) for name, value in told.items()}


def _finalist_epochs(record: Record) -> object:
    """As asked for; in studies of earlier versions a finalist had those of a trial."""
    bound = record.get("finalist_epochs", record["config"]["epochs"])
    return "until its early stop" if bound is None else bound


def _refit(summary: Summary) -> str:
    refit = None if summary.finals is None else summary.finals.refit
    return "none" if refit is None else f"on {TRAINED_ON[refit.on]}"


def finalists_of(record: Mapping[str, Any]) -> str:
    """How many finalists a search has, with how many seeds; before there was a race, all had as many."""
    words = f"{record['finalists']}, {record['finalist_seeds']} seeds each"
    if "finalist_runs" not in record:
        return words
    runs = record["finalist_runs"]
    return f"{words} at most" + ("" if runs is None else f", {runs} runs at most")


def _constraints(record: Mapping[str, Any]) -> dict[str, str]:
    bounds = record.get("constraints")
    return {"constraints": ", ".join(bounds)} if bounds else {}


def _against(record: Record) -> dict[str, str]:
    """The model that a person has; studies of earlier versions know none."""
    model = record.get("against")
    return {} if model is None else {"against": Path(model).name}


def _by_data(summary: Summary) -> dict[str, str]:
    """What of the space the data decided; summaries of earlier versions do not say."""
    decided = summary.space.get("by_data", {})
    return {"by the data": "; ".join(f"{name} {values}" for name, values in decided.items())} if decided else {}


def _recipe(summary: Summary) -> dict[str, str]:
    recipe = summary.recipe
    if recipe is None:
        return {}
    tried = f"trial {recipe.number}" if recipe.number is not None else f"not tried: {recipe.why_not or 'no trial left'}"
    return {"recipe": f"{recipe.name}, {tried}"}


def training_time(summary: Summary) -> str:
    """Training time of all trials, earlier sessions included."""
    return format_duration(sum(trial.seconds for trial in summary.trials))


def _began(saved: SavedStudy) -> str:
    """When the first job began, in the reader's time, as the timeline is.

    Optuna's times are those of the machine that searched, and do not say of which zone.
    """
    if jobs := jobs_in(saved.folder):
        return f"{datetime.fromtimestamp(jobs[0].start).astimezone():%Y-%m-%d %H:%M %Z}"
    starts = [trial.datetime_start for trial in trials_of(saved.study) if trial.datetime_start is not None]
    return f"{min(starts):%Y-%m-%d %H:%M}" if starts else "not yet"


def fixed_options(saved: SavedStudy) -> dict[str, str]:
    """Options that the space does not vary and that are not NARM's defaults."""
    defaults = Config().flat()
    varied = {name for trial in saved.summary.trials for name in trial.params}
    return {
        name: str(value)
        for name, value in saved.record["config"].items()
        if name not in varied | _OF_THE_SEARCH and value != defaults.get(name)
    }


def environment(saved: SavedStudy) -> dict[str, str]:
    """Data, code and packages."""
    summary = saved.summary
    data = summary.dataset
    told: Mapping[str, object] = {
        "dataset": data.name,
        "training sessions": f"{data.n_sessions:,}",
        "items": f"{data.n_items - 1:,}",  # without the padding
        "targets to train": f"{data.n_targets:,}",
        "targets to validate": f"{data.n_valid:,}",
        "fingerprint": data.fingerprint,
        "git commit": summary.git_commit or "unknown",
        **{name: version or "not installed" for name, version in summary.versions.items()},
        "study database": mask_credentials(saved.storage),
    }
    return {name: str(value) for name, value in told.items()}
