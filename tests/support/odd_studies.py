"""Studies that figures may not expect."""

from __future__ import annotations

from typing import Any

from optuna.trial import TrialState
from support.small_study import trial

ODD_STUDIES: dict[str, list[Any]] = {
    "no trial": [],
    "one trial": [trial(0, [0.1, 0.2], {"learning_rate": 0.001, "hidden_size": 16})],
    "only the default": [trial(0, [0.1])],
    "all failed": [trial(n, [], state=TrialState.FAIL) for n in range(3)],
    "constant parameters": [trial(n, [0.1, 0.1 * n], {"learning_rate": 0.01, "hidden_size": 16}) for n in range(8)],
    "constant values": [trial(n, [0.2, 0.2], {"learning_rate": 0.001 * (n + 1), "hidden_size": 16}) for n in range(8)],
    "one parameter": [trial(n, [0.1 * n], {"learning_rate": 0.001 * (n + 1)}) for n in range(8)],
    "parameters that never meet": [
        trial(n, [0.1 * n], {"learning_rate": 0.001 * (n + 1)} if n % 2 else {"hidden_size": [16, 32][n // 2 % 2]})
        for n in range(8)
    ],
    "all pruned": [
        trial(n, [0.1 * n], {"learning_rate": 0.001 * (n + 1), "hidden_size": 16}, state=TrialState.PRUNED)
        for n in range(8)
    ],
    "interrupted": [trial(0, [0.1, 0.2], {"learning_rate": 0.001}, state=TrialState.WAITING)],
}  # fmt: skip
