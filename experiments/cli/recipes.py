"""How the session datasets of the literature are made of their raw logs, and what their authors counted then.

The rules are those of the preprocessing of SR-GNN (Wu et al., AAAI 2019), which follows NARM (Li et al., CIKM 2017):
sessions of two events or more; then items with five or more; then sessions of two or more again; the last day or
week is test; test events of items that train does not have are dropped, and test sessions left with one event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from narm.errors import InputError
from narm.text.suggestion import did_you_mean

COMMON: dict[str, Any] = {"split": "temporal", "min_session_length": 2, "min_item_support": 5}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a dataset is made.

    Attributes:
        name: `yoochoose-1/64`.
        options: values of data options, by name.
        published: counts of the whole source, by the key that our own count has.
    """

    name: str
    options: Mapping[str, Any]
    published: Mapping[str, int] = field(default_factory=dict)


# Seconds, not days: the last day is counted back from the last click, at 03:00 of the clock.
_YOOCHOOSE = {**COMMON, "test_period": "86400s"}

# The test sessions of both are published together, of the items of the whole train period: some are of items
# that the most recent part does not have, and are kept so that every method is judged on the same targets.
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "yoochoose-1/64",
            {**_YOOCHOOSE, "recent_share": 1 / 64},
            {"train targets": 369_859, "test targets": 55_898},
        ),
        Recipe(
            "yoochoose-1/4",
            {**_YOOCHOOSE, "recent_share": 1 / 4},
            {"train targets": 5_917_745, "test targets": 55_898},
        ),
        Recipe(
            "diginetica",
            {**COMMON, "test_period": "7d"},
            {
                "train sessions": 186_670,
                "train targets": 719_470,
                "test sessions": 15_963,
                "test targets": 60_858,
                "items": 43_097,
            },
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """A recipe by its name.

    Raises:
        InputError: there is no such recipe; the message suggests the closest name.
    """
    if name not in RECIPES:
        raise InputError(f"--recipe: there is no '{name}'{did_you_mean(name, RECIPES)}")
    return RECIPES[name]
