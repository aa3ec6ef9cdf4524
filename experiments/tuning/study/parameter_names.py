"""Under which names a study keeps the parameters of its space.

Optuna refuses to change the choices of a parameter once a study has it. A space may change when a search is resumed:
a parameter that no longer fits what the study holds is then kept under a new name, `dropout_probs~2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.study import Study

from search_spaces.space import SearchSpace

_VERSION = "~"


class ParameterNames:
    """Translates between the name of a parameter in the space and in the study.

    Args:
        space: the space as it is now.
        study: the study, with the trials of this and earlier spaces.
    """

    def __init__(self, space: SearchSpace, study: Study) -> None:
        known = {
            name: distribution
            for trial in study.get_trials(deepcopy=False)
            for name, distribution in trial.distributions.items()
        }
        self._stored = {name: _free_name(name, wanted, known) for name, wanted in space.distributions.items()}
        self._distributions = space.distributions

    def write(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
        """Parameters and their distributions, as the study is to keep them."""
        stored = {self._stored[name]: value for name, value in params.items()}
        return stored, {self._stored[name]: self._distributions[name] for name in params}


def plain_names(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a trial, of this space or an earlier one, under their own names."""
    return {name.partition(_VERSION)[0]: value for name, value in stored.items()}


def _free_name(name: str, wanted: BaseDistribution, known: Mapping[str, BaseDistribution]) -> str:
    stored, version = name, 1
    while stored in known and not _fits(known[stored], wanted):
        version += 1
        stored = f"{name}{_VERSION}{version}"
    return stored


def _fits(old: BaseDistribution, new: BaseDistribution) -> bool:
    try:
        check_distribution_compatibility(old, new)
    except ValueError:
        return False
    return True
