"""Which options each model uses; any other one would silently do nothing, and is an error."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from narm.config import OPTIONS
from narm.errors import InputError
from narm.models import MODELS, ModelName

_OF_EVERY_MODEL = {"model", "seed", "eval_step"}
"""Beside data and evaluation. The seed is also that of a search."""


@cache
def used_options(model: ModelName) -> tuple[str, ...]:
    """Names of the options on which a run of this model depends, those of data and evaluation among them."""
    used = {*_own_options(model), *_OF_EVERY_MODEL}
    return tuple(name for name, option in OPTIONS.items() if option.section in ("data", "evaluation") or name in used)


def searchable_options(model: ModelName) -> tuple[str, ...]:
    """Names of the options that a search of this model may vary."""
    return tuple(name for name in used_options(model) if OPTIONS[name].searchable)


def check_used(model: ModelName, names: Iterable[str]) -> None:
    """Check that a model uses all of these options.

    Raises:
        InputError: it does not use one of them; the message lists its options.
    """
    for name in names:
        if name not in used_options(model):
            own = [known for known in _own_options(model) if known not in _OF_EVERY_MODEL]
            its = f"its options: {', '.join(own)}" if own else "it has no options of its own"
            raise InputError(f"{name} is no option of model {model}; {its}")


def _own_options(model: ModelName) -> list[str]:
    """What the table of models says, in the order of the options."""
    entry = MODELS[model]
    return [
        name
        for name, option in OPTIONS.items()
        if (option.section in entry.sections or name in entry.options) and name not in entry.unused
    ]
