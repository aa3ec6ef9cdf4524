"""The default search beside RecBole's."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.end_to_end import choice_of_one_seed
from benchmarks.replay.table import CurveTable
from search_spaces.space import load_space


def test_a_choice_by_one_seed_is_judged_by_the_others() -> None:
    finals = [(0.9, 0.1, 0.1), (0.2, 0.6, 0.4), (0.3, 0.3, 0.5)]  # by configuration and seed
    table = CurveTable(
        space=load_space("recbole"),
        configurations=({}, {}, {}),
        curves=tuple(tuple(np.array([0.0, value]) for value in of_one) for of_one in finals),
    )
    lucky, sound, last = (0.1 + 0.1) / 2, (0.2 + 0.4) / 2, (0.3 + 0.3) / 2
    assert choice_of_one_seed(table) == pytest.approx((lucky + sound + last) / 3)
