"""The model that MLflow serves: sessions of raw item ids in, the best next items out.

MLflow keeps this file with the model, and `narm` beside it, and runs it wherever the model is loaded. So it imports
nothing else of this project, and nothing of it is pickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from narm.recommending import Recommender

COLUMN = "session"


class SessionRecommender(PythonModel):
    """Recommends by the checkpoint that MLflow keeps as the artifact `checkpoint`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model, and its kernels with it: the first request should not wait for them."""
        self._recommender = Recommender.load(context.artifacts["checkpoint"])
        self._recommender.recommend([self._recommender.vocabulary.ids[:1].tolist()], k=1)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Recommend for each row.

        Args:
            context: MLflow's.
            model_input: its column `session` holds raw item ids, oldest first: as lists, or as text with blanks between
                them.
            params: `k`, how many items; `exclude_seen`, whether to leave out those of the session.
        Returns:
            a row for each: `items`, raw ids, best first; their `scores`; `unknown`, ids that the model does not know,
            as text.
        Raises:
            ValueError: a row is no session, or k is less than 1.
        """
        sessions = [_read(row, value) for row, value in enumerate(model_input[COLUMN])]
        answers = self._recommender.recommend(sessions, **(params or {}))
        return pd.DataFrame(
            {
                "items": [list(answer.items) for answer in answers],
                "scores": [list(answer.scores) for answer in answers],
                "unknown": [list(map(str, answer.unknown)) for answer in answers],
            }
        )


def _read(row: int, value: object) -> Sequence[object]:
    """The ids of one session."""
    if isinstance(value, str):
        return value.split()
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return list(value.tolist())
    raise ValueError(f"row {row}: {value!r} is no session: write a list of item ids, or text with blanks between them")


set_model(SessionRecommender())
