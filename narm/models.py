"""The table of models: NARM and its halves, and what they must beat. A model is its file and one entry here.

Nothing here imports torch, so that reading options stays fast; `narm.build_model` builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """What is known of a model without building it.

    Attributes:
        model_class: `module:Class`, imported when a model is built: torch takes seconds.
        takes: section of the config that the class takes, after the number of items; None: it takes no more.
        sections: sections of the config whose options it uses, all of them.
        options: options it uses beside those.
        unused: options of `sections` that it does not use.
        learned_at_once: whether it only counts: one epoch is all it has, and nothing of it is random.
        fixed: options whose values it determines itself.
    """

    model_class: str
    takes: str | None = None
    sections: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    learned_at_once: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)

    @property
    def implied(self) -> Mapping[str, object]:
        """Options and values that follow from the choice of this model, whatever else is asked for."""
        return {"epochs": 1, **self.fixed} if self.learned_at_once else self.fixed


_STAN = ("session_decay", "recency_decay", "neighbor_decay")

MODELS: dict[str, ModelEntry] = {
    "narm": ModelEntry(model_class="narm.model:NARM", takes="model", sections=("model", "training")),
    "global": ModelEntry(
        model_class="narm.model:NARM", takes="model", sections=("model", "training"), unused=("attention",)
    ),
    "local": ModelEntry(model_class="narm.model:NARM", takes="model", sections=("model", "training")),
    "pop": ModelEntry(model_class="narm.baselines.popularity:Popularity", learned_at_once=True),
    "s_pop": ModelEntry(model_class="narm.baselines.popularity:SessionPopularity", learned_at_once=True),
    "item_knn": ModelEntry(
        model_class="narm.baselines.item_knn:ItemKNN", takes="item_knn", sections=("item_knn",), learned_at_once=True
    ),
    "bpr_mf": ModelEntry(
        model_class="narm.baselines.bpr_mf:BPRMF",
        takes="model",
        sections=("training",),
        options=("embedding_size", "scoring", "temperature", "learn_temperature", "unit_events"),
        unused=("loss_type", "softmax_samples", "softmax_alpha", "label_smoothing"),
        fixed={"loss_type": "BPR"},
    ),
    "sr": ModelEntry(
        model_class="narm.baselines.sequential_rules:SequentialRules",
        takes="sequential_rules",
        sections=("sequential_rules",),
        learned_at_once=True,
    ),
    "s_knn": ModelEntry(
        model_class="narm.baselines.neighbors:SKNN",
        takes="neighbors",
        options=("k_neighbors", "sample_size"),
        learned_at_once=True,
    ),
    "v_sknn": ModelEntry(
        model_class="narm.baselines.neighbors:VSKNN",
        takes="neighbors",
        sections=("neighbors",),
        unused=(*_STAN, "score_decay"),
        learned_at_once=True,
    ),
    "stan": ModelEntry(
        model_class="narm.baselines.neighbors:STAN",
        takes="neighbors",
        options=("k_neighbors", "sample_size", *_STAN),
        learned_at_once=True,
    ),
    "vstan": ModelEntry(
        model_class="narm.baselines.neighbors:VSTAN",
        takes="neighbors",
        sections=("neighbors",),
        unused=("position_weighting", "score_weighting"),
        learned_at_once=True,
    ),
}

if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = Literal[tuple(MODELS)]  # for pydantic, which then names the models in its message
