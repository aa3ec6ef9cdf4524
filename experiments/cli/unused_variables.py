"""Variables of other programs that a person may think are heeded."""

from __future__ import annotations

import os

from experiments.tuning.worker.addresses import absolute_tracking_uri, mask_credentials
from narm.errors import InputError

MLFLOW_VARIABLE = "MLFLOW_TRACKING_URI"


def unused_variables(tracking_uri: str) -> list[str]:
    """A note for MLflow's own variable, where it names another store than this search is recorded in.

    A study has its store with it, since it goes on in other shells and on other machines.

    Args:
        tracking_uri: address of the store of this search.
    """
    given, used = os.environ.get(MLFLOW_VARIABLE), absolute_tracking_uri(tracking_uri)
    if not given or _absolute(given) == used:
        return []
    where = mask_credentials(used)
    return [f"MLflow: recorded in {where}; {MLFLOW_VARIABLE} is set, and not used: --tracking-uri names another store"]


def _absolute(uri: str) -> str | None:
    try:
        return absolute_tracking_uri(uri)
    except InputError:
        return None
