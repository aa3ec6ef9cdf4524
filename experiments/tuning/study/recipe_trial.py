"""What of a recipe a study tries, or why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from narm.config import Config
from narm.errors import InputError

if TYPE_CHECKING:
    from search_spaces.recipe import Recipe
    from search_spaces.space import SearchSpace


@dataclass(frozen=True, slots=True)
class RecipeTrial:
    """The trial of a recipe.

    Attributes:
        name: the recipe's.
        options: options that the space varies, and their values; None: there is no such trial.
        why_not: why there is none; empty: there is one.
    """

    name: str
    options: Mapping[str, Any] | None
    why_not: str = ""


def fit_recipe(recipe: Recipe, space: SearchSpace, config: Config) -> RecipeTrial:
    """The trial of a recipe in a space: all of the recipe, or none of it.

    Args:
        recipe: what it says of the options that nobody has fixed.
        space: what the study varies; what the recipe leaves out is the default configuration's.
        config: the default configuration.
    """
    try:
        return RecipeTrial(recipe.name, _options(recipe, space, config))
    except InputError as error:
        return RecipeTrial(recipe.name, None, str(error))


def _options(recipe: Recipe, space: SearchSpace, config: Config) -> dict[str, Any]:
    flat = config.flat()
    for name, value in recipe.options.items():
        if name not in space.options and value != flat[name]:
            raise InputError(f"its {name} is {value}, and the search has {flat[name]}")
    wanted = {name: value for name, value in recipe.options.items() if name in space.options}
    tried = config.replace(wanted)
    params = space.from_options(tried)
    if params is None:
        raise InputError(f"its {space.why_outside(tried)}")
    options = space.to_options(params, config)
    for name, value in wanted.items():
        if name in options and options[name] != value:  # the space varies one position of it, and not the other
            raise InputError(f"its {name} is {value}, and the search can have {options[name]}")
    if config.replace(options) == config:
        raise InputError("it is the default configuration here")
    return options
