"""Which parameters decided, by PED-ANOVA.

Watanabe et al., "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces", IJCAI 2023: how
much the best trials' values of a parameter differ from all trials' values. It ranks trials and looks no further at
their values, so that trials pruned at an early epoch, which are behind, do no harm; fANOVA would fit their values.
"""

from __future__ import annotations

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

TOP_TRIALS = 5  # that the best should be at least, Optuna says
FEWEST_TRIALS = 6  # fewer have no best ones to speak of


def evaluator(view: optuna.Study) -> PedAnovaImportanceEvaluator:
    """PED-ANOVA of the best tenth; of more in a small study, so that there are five, but of half at most."""
    n_trials = len(view.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    return PedAnovaImportanceEvaluator(target_quantile=min(0.5, max(0.1, TOP_TRIALS / max(n_trials, 1))))


def importances(view: optuna.Study) -> dict[str, float]:
    """Shares by parameter, the largest first; empty where there are too few trials to tell.

    Args:
        view: of `experiments.reporting.views.judged`.
    """
    trials = view.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len([trial for trial in trials if trial.params]) < FEWEST_TRIALS:
        return {}
    return get_param_importances(view, evaluator=evaluator(view))


def varied(view: optuna.Study) -> list[str]:
    """Parameters that took more than one value, the most important first."""
    trials = view.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    taken: dict[str, set[object]] = {}
    for trial in trials:
        for name, value in trial.params.items():
            taken.setdefault(name, set()).add(value)
    shares = importances(view)
    names = [name for name, values in taken.items() if len(values) > 1]
    return sorted(names, key=lambda name: (-shares.get(name, 0.0), name))
