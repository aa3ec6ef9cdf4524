"""The space and the recipe of a study, for the data that it is on: their size may decide bounds, choices and values."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from narm.config import Config, DataConfig
from narm.data.sessions import Splits
from narm.model_options import used_options
from narm.models import MODELS, ModelName
from search_spaces.data_size import DataSize
from search_spaces.recipe import Recipe, RecipeFile, find_recipe
from search_spaces.space import SearchSpace
from search_spaces.space_file import SpaceFile

NETWORKS_RECIPE = "narm"
"""The bundled recipe of the networks; baselines have none."""

LoadSplits = Callable[[DataConfig], Splits]


def bundled_recipe(model: ModelName, space: SpaceFile | SearchSpace) -> RecipeFile | None:
    """The recipe of a search that names none.

    A bundled space that is not named after a model, RecBole's and that of the smoke test, is searched as it is.
    """
    is_network = "model" in MODELS[model].sections
    as_it_is = isinstance(space, SpaceFile) and space.is_bundled and space.name not in MODELS
    return find_recipe(NETWORKS_RECIPE) if is_network and not as_it_is else None


@dataclass(frozen=True, slots=True)
class ForTheseData:
    """Settles what the size of the data decides; they are loaded only if it decides something.

    Attributes:
        config: names the data; the default configuration of the study.
        load: loads them.
    """

    config: Config
    load: LoadSplits

    def space(self, found: SpaceFile | SearchSpace) -> SearchSpace:
        """The space; one that a study has stored is settled already.

        Raises:
            InputError: a range is empty for these data, or no choice is left.
        """
        if isinstance(found, SearchSpace):
            return found
        return SearchSpace.of(found, self._size() if found.needs_data else None)

    def recipe(self, found: RecipeFile | Recipe | None, *, fixed: Collection[str]) -> Recipe | None:
        """The recipe, without the options that a person has fixed; one that a study has stored is settled already.

        Raises:
            InputError: a value of it is out of bounds for these data.
        """
        if not isinstance(found, RecipeFile):
            return found
        size = self._size() if found.needs_data else None
        return found.for_data(size, self.config, fixed=fixed, used=used_options(self.config.model.model))

    def _size(self) -> DataSize:
        splits = self.load(self.config.data)
        return DataSize(targets=len(splits.train), items=splits.n_items - 1)  # without the padding
