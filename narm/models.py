"""Every model by its name: NARM and its halves, and what they must beat."""

from __future__ import annotations

from collections.abc import Callable

from narm.baselines.baseline import Baseline
from narm.baselines.bpr_mf import BPRMF
from narm.baselines.item_knn import ItemKNN
from narm.baselines.neighbors import SKNN, STAN, VSKNN
from narm.baselines.popularity import Popularity, SessionPopularity
from narm.baselines.sequential_rules import SequentialRules
from narm.config import Config, ModelName
from narm.model import NARM, SessionEncoder

Model = SessionEncoder | Baseline
"""A network, trained in epochs, or a baseline that is learned at once. Both score prefixes, and have a state_dict."""

_BUILDERS: dict[ModelName, Callable[[int, Config], Model]] = {
    "narm": lambda n_items, config: NARM(n_items, config.model),
    "global": lambda n_items, config: NARM(n_items, config.model),
    "local": lambda n_items, config: NARM(n_items, config.model),
    "pop": lambda n_items, config: Popularity(n_items),
    "s_pop": lambda n_items, config: SessionPopularity(n_items),
    "item_knn": lambda n_items, config: ItemKNN(n_items, config.item_knn),
    "bpr_mf": lambda n_items, config: BPRMF(n_items, config.model),
    "sr": lambda n_items, config: SequentialRules(n_items, config.sequential_rules),
    "s_knn": lambda n_items, config: SKNN(n_items, config.neighbors),
    "v_sknn": lambda n_items, config: VSKNN(n_items, config.neighbors),
    "stan": lambda n_items, config: STAN(n_items, config.neighbors),
}


def build_model(n_items: int, config: Config) -> Model:
    """The model that `config.model.model` names, untrained; a network's weights come from torch's generator.

    Args:
        n_items: items and the padding, V.
        config: all options; each model reads its own.
    """
    return _BUILDERS[config.model.model](n_items, config)
