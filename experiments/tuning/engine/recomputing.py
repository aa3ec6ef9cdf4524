"""The verdict on the finalists of a search that is over, by today's rule, from the ranks that their runs left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from experiments.tuning.engine.finalists import values_that_count
from experiments.tuning.engine.incumbent import Incumbent, with_incumbent
from experiments.tuning.engine.verdict import judge_finalists
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.study.folder import FINALISTS, INCUMBENT
from experiments.tuning.study.results import on_boundary
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.stored_spec import stored_space
from experiments.tuning.study.summary import Finals, Summary
from experiments.tuning.study.trial_attributes import trials_of
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.config import Config
from narm.data.sessions import Examples, Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets
from narm.models import MODELS


def judge_again(saved: SavedStudy, splits: Splits) -> Summary:
    """The summary of a study with today's verdict on its finalists; nothing is trained or written.

    What was measured of the model that ships stays, if it is still a model of the winner.

    Args:
        saved: a study whose finalists were judged.
        splits: its data.
    Raises:
        InputError: it has no finalists, the data are others, or the ranks of a run are not there any more.
    """
    summary, config = saved.summary, Config.from_flat(saved.record["config"])
    before = summary.finals
    if before is None:
        raise InputError(f"study '{saved.name}' has no finalists to judge again")
    if splits.fingerprint != summary.dataset.fingerprint:
        raise InputError(f"{splits.name} is not what it was when '{saved.name}' was searched: other sessions or items")
    test = chosen_targets(splits.test, config.evaluation)
    depends_on_seed = not MODELS[config.model.model].learned_at_once
    runs = _runs(saved, before, config, test)
    finals = judge_finalists(
        runs,
        before.failures,
        test=test,
        objective=summary.objective,
        seed=summary.seed,
        depends_on_seed=depends_on_seed,
        trials=values_that_count(summary.trials, saved.record["finalists"]),
    )
    assert finals is not None  # there are runs
    finals = replace(finals, allocations=before.allocations, why_enough=before.why_enough)
    if before.incumbent is not None:
        incumbent = Incumbent.load(saved.folder / INCUMBENT, before.incumbent.name, splits, config.evaluation)
        finals = with_incumbent(finals, incumbent, runs, test, summary.objective, depends_on_seed=depends_on_seed)
    if before.recommended == finals.recommended:
        finals = replace(finals, shipping=before.shipping)
    winner = trials_of(saved.study)[finals.winner]
    return replace(summary, finals=finals, on_boundary=on_boundary(winner, stored_space(saved.record)))


def _runs(saved: SavedStudy, finals: Finals, config: Config, test: Examples) -> Sequence[FinalistRun]:
    """The runs of all finalists, as the study's folder has them."""
    kept = FinalistRuns(saved.folder / FINALISTS, config, saved.summary.dataset.fingerprint)
    infeasible = {trial.number for trial in saved.summary.trials if trial.infeasible is not None}
    runs = [
        run
        for each in finals.finalists
        for run in kept.require(
            Finalist(
                number=each.number,
                options=each.params,
                is_default=each.is_default,
                may_ship=each.number not in infeasible,
            ),
            each.seeds,
        )
    ]
    if any(len(run.ranks) != len(test) for run in runs):
        raise InputError(f"{kept.folder}: the ranks are not of the {len(test):,} test targets")
    return runs
