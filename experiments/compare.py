"""`python -m experiments.compare`: every model on one dataset, each tuned with the same budget, judged side by side."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from experiments.cli import command_line, search_parser
from experiments.reporting.model_comparison.report import markdown, plot_by_length, print_comparison
from narm.config import LEARNED_AT_ONCE, ModelName, check_value
from narm.config_file import OptionsFile, read_config
from narm.errors import InputError
from narm.machine.files import atomic_file, write_text
from narm.metrics import parse_metric
from narm.model_options import used_options

if TYPE_CHECKING:
    from experiments.tuning.engine.model_comparison import Contender, ModelComparison
    from experiments.tuning.study.spec import StudySpec
    from experiments.tuning.study.summary import Summary
    from narm.data.sessions import Splits

EPILOG = """\
Every model gets a search of its own: the same engine, number of trials, validation split and seeds. Any option of
experiments.search may be given and holds for all of them; one that only some models use holds for those, a --space
too. Else each model has its own space. There is no time budget, unless you give one.
A comparison that was interrupted goes on when it is called again with the same --study.

examples:
  python -m experiments.compare --dataset clicks.parquet
  python -m experiments.compare --dataset clicks.parquet --models narm,v_sknn,s_pop --trials 20 --epochs 15
  python -m experiments.compare --dataset clicks.parquet --study spring --finalist-seeds 5

exit status: 0; 2 wrong usage, configuration or data; 3 a model has no result; 130 interrupted, goes on when repeated
"""
NO_RESULT = 3
DEFAULTS = {
    "objective": "MRR@20", "trials": 12, "epochs": "15", "finalists": 1, "finalist_seeds": 2,
    "grace_epochs": 3,  # networks learn what is popular first, and sessions later: one epoch misjudges them
    "time_budget": "none",  # on the clock, a slow moment would cost one model trials that another had
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare models.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given, rest = build_parser().parse_known_args(arguments)
    console = command_line.open_console(given)
    found = run_comparison(
        _models(given.models), rest, study=given.study, metrics=_metrics(given.metrics), quiet=given.quiet
    )
    if isinstance(found, int):
        return found
    print_comparison(found.comparison, console)
    console.out(f"table and plot: {found.folder}", highlight=False)
    return NO_RESULT if found.without_result else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison, the folder that holds it, and the models that have no result."""

    comparison: ModelComparison
    folder: Path
    without_result: Sequence[str]


def run_comparison(
    models: Sequence[ModelName], options: Sequence[str], *, study: str | None, metrics: Sequence[str], quiet: bool
) -> Compared | int:
    """Search each model, or go on with its search, and compare what they found.

    Args:
        models: which.
        options: of `experiments.search`, for all of them.
        study: name of the comparison; None: a new one.
        metrics: to compare on test, spelled `MRR@20`.
        quiet: print nothing but errors.
    Returns:
        the comparison, or the exit status of the command that has none.
    Raises:
        InputError: the options or the data are wrong.
    """
    specs = _specs(models, study, options)
    from experiments.reporting.model_comparison.recorder import record_comparison
    from experiments.reporting.study_files import SUMMARY
    from experiments.tuning.engine.model_comparison import compare_models
    from experiments.tuning.study.dataset import Dataset
    from narm.data.datasets import load_splits

    folder = specs[0].output / specs[0].name.removesuffix(f"-{models[0]}")
    if (folder / SUMMARY).exists():  # its run in MLflow would become that of the comparison
        raise InputError(f"study: {folder} is a search: choose another name for the comparison")
    splits = load_splits(specs[0].config.data)
    contenders = _search_all(specs, splits, quiet=quiet)
    if contenders is None:
        return command_line.INTERRUPTED
    if not contenders:
        return NO_RESULT
    comparison = compare_models(
        contenders,
        splits.test,
        dataset=splits.name,
        fingerprint=splits.fingerprint,
        objective=specs[0].config.evaluation.valid_metric,
        metrics=metrics,
        seed=specs[0].seed,
    )
    _write(folder, comparison)
    missing = sorted(set(models) - {contender.model for contender in contenders})
    dataset = Dataset.of(splits, specs[0].config)
    record_comparison(comparison, folder, of=specs[0], dataset=dataset, without_result=missing)
    return Compared(comparison=comparison, folder=folder, without_result=missing)


def _search_all(specs: Sequence[StudySpec], splits: Splits, *, quiet: bool) -> list[Contender] | None:
    """What each search found, those without a result left out; None if a person interrupted."""
    from experiments.reporting.display import Display
    from experiments.reporting.recorder import Recording
    from experiments.tuning.driver.run import run_studies
    from experiments.tuning.driver.study_run import Plan
    from experiments.tuning.study.limits import INTERRUPTED

    plans = [Plan(spec=spec, resume=spec.folder.exists(), label=spec.config.model.model) for spec in specs]
    with Display(quiet=quiet) as display:
        results = run_studies(plans, splits, Recording(display).open)
    if len(results) < len(specs) or any(result.reason == INTERRUPTED for result in results):
        return None
    contenders: list[Contender] = []
    for spec, result in zip(specs, results, strict=True):
        if (contender := _contender(spec, splits, result.summary)) is not None:
            contenders.append(contender)
        else:
            print(f"{spec.config.model.model}: no finalist has a result", file=sys.stderr)
    return contenders


def _specs(models: Sequence[ModelName], study: str | None, options: Sequence[str]) -> list[StudySpec]:
    """The study of each model."""
    given = search_parser.build_parser().parse_args(options)
    from experiments.cli.search_arguments import build_spec
    from narm.data.datasets import dataset_name

    _check_options(given, models)
    prefix = study or f"compare-{dataset_name(str(given.dataset or 'ml-100k'))}-{datetime.now():%Y%m%d-%H%M%S}"
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    of_space = [] if given.space is None else _models_of_space(given.space, models)
    specs = []
    for model in models:
        own = argparse.Namespace(**vars(given))
        own.model, own.study = model, f"{prefix}-{model}"
        if model not in of_space:
            own.space = model  # the name of its space, as wide as those of the others
        _fill_in(own, model)
        # A model is judged by its best configuration: its default one is a trial, and need not be trained again.
        specs.append(replace(build_spec(own, file), default_is_finalist=False))
    return specs


def _fill_in(own: argparse.Namespace, model: ModelName) -> None:
    """Give a model the defaults of a comparison, and take away the options that it does not use."""
    for name, value in DEFAULTS.items():
        if getattr(own, name, None) is None and not (name == "finalist_seeds" and model in LEARNED_AT_ONCE):
            setattr(own, name, value)
    for name in command_line.given_options(own):
        if name not in used_options(model):
            setattr(own, name, None)


def _check_options(namespace: argparse.Namespace, models: Sequence[ModelName]) -> None:
    """An option that no model uses would be dropped for each of them, and silently do nothing."""
    for name in command_line.given_options(namespace):
        if not any(name in used_options(model) for model in models):
            raise InputError(f"{name} is no option of any of these models: {', '.join(models)}")


def _models_of_space(space: str, models: Sequence[ModelName]) -> list[ModelName]:
    """The models that have all options of a space."""
    from search_spaces.space import load_space

    wanted = set(load_space(space).options)
    found = [model for model in models if wanted <= set(used_options(model))]
    if not found:
        raise InputError(f"space: none of these models has all options of {space}: {', '.join(models)}")
    return found


def _models(text: str | None) -> list[ModelName]:
    if text is None:
        return list(get_args(ModelName))
    models = [cast("ModelName", check_value("model", name.strip())) for name in text.split(",")]
    if len(models) < 2 or len(set(models)) < len(models):
        raise InputError(f"models: '{text}': name two or more, each once, such as narm,v_sknn")
    return models


def _metrics(text: str) -> list[str]:
    return ["{}@{}".format(*parse_metric(metric)) for metric in text.split(",")]


def _contender(spec: StudySpec, splits: Splits, summary: Summary) -> Contender | None:
    """The winner of a search, with what its finalists left; None if there is none."""
    from experiments.tuning.engine.model_comparison import Contender
    from experiments.tuning.study.finalist_runs import FinalistRuns
    from experiments.tuning.worker.jobs import Finalist

    if summary.finals is None:
        return None
    winner = summary.finals.finalists[0]
    finalist = Finalist(number=winner.number, options=winner.params, is_default=winner.is_default)
    runs = FinalistRuns(spec.folder / "finalists", spec.config, splits.fingerprint).require(finalist, winner.seeds)
    trained = sum(trial.seconds for trial in summary.trials)
    return Contender(
        model=spec.config.model.model,
        params=winner.params,
        runs=runs,
        trials=len(summary.trials),
        seconds=trained + sum(run.seconds for run in runs),
    )


def _write(folder: Path, comparison: ModelComparison) -> None:
    from experiments.tuning.study.saved_study import COMPARISON

    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / COMPARISON, json.dumps(asdict(comparison), indent=2, allow_nan=False) + "\n")
    write_text(folder / "comparison.md", markdown(comparison))
    with atomic_file(folder / "by_length.png") as file:
        file.write(plot_by_length(comparison))


def build_parser() -> command_line.Parser:
    """Every flag."""
    parser = command_line.Parser(
        prog="python -m experiments.compare",
        description="Tune several models on one dataset with the same budget, and judge them side by side on test.",
        epilog=EPILOG,
    )
    known = ",".join(get_args(ModelName))
    parser.add_argument("--models", metavar="A,B,...", help=f"which (default: {known})")
    parser.add_argument(
        "--metrics", default="MRR@20,Recall@20", metavar="A,B", help="to compare on test (default: %(default)s)"
    )
    parser.add_argument(
        "--study", metavar="NAME", help="of the comparison; studies are NAME-MODEL (default: a new one)"
    )
    command_line.add_output_flags(parser)
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
