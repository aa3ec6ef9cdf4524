"""Which parameters decided, by PED-ANOVA.

Watanabe et al., "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces", IJCAI 2023: how
much the best trials' values of a parameter differ from all trials' values. It ranks trials and looks no further at
their values, so that trials pruned at an early epoch, which are behind, do no harm; fANOVA would fit their values.
"""

from __future__ import annotations

import warnings

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from experiments.reporting.figures.trial_views import inside

TOP_TRIALS = 5  # that the best should be at least, Optuna says
FEWEST_TRIALS = 6  # fewer have no best ones to speak of


def evaluator(within: optuna.Study) -> PedAnovaImportanceEvaluator:
    """PED-ANOVA of the best tenth; of more in a small study, so that there are five, but of half at most.

    Args:
        within: of `experiments.reporting.figures.trial_views.inside`.
    """
    n_trials = max(len(within.get_trials(deepcopy=False)), 1)
    return PedAnovaImportanceEvaluator(target_quantile=min(0.5, max(0.1, TOP_TRIALS / n_trials)))


def importances(view: optuna.Study) -> dict[str, float]:
    """Shares by parameter, the largest first; empty where there are too few trials to tell, or all are alike.

    Args:
        view: of `experiments.reporting.figures.trial_views.judged`.
    """
    within = inside(view)
    values = [trial.value for trial in within.get_trials(deepcopy=False)]
    if len(values) < FEWEST_TRIALS or len(set(values)) == 1:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about few trials: the caption says so
        return get_param_importances(within, evaluator=evaluator(within))


def varied(view: optuna.Study) -> list[str]:
    """Parameters that took more than one value, the most important first."""
    taken: dict[str, set[object]] = {}
    for trial in inside(view).get_trials(deepcopy=False):
        for name, value in trial.params.items():
            taken.setdefault(name, set()).add(value)
    shares = importances(view)
    names = [name for name, values in taken.items() if len(values) > 1]
    return sorted(names, key=lambda name: (-shares.get(name, 0.0), name))
