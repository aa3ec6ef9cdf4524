"""Full ranking of all items for every example, streamed.

Each prefix is the last `max_length` events before its target, as RecBole takes it; seen items are not masked, and
only the padding is left out. Prefixes that start at the same event are encoded in one pass.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from narm.baselines.baseline import Baseline
from narm.config import EvaluationConfig
from narm.data.batches import ordered_batches
from narm.data.sessions import Examples
from narm.data.windows import cut_windows
from narm.metrics import summarize
from narm.models import Model
from narm.ranking import target_ranks


def evaluate(model: Model, examples: Examples, config: EvaluationConfig, *, max_length: int) -> dict[str, float]:
    """Mean metrics over the examples, by key: `recall_at_10`.

    Args:
        model: scored in evaluation mode, where it is.
        examples: what to predict.
        config: metrics and cutoffs; the cutoff of `valid_metric` is always among them.
        max_length: events of a prefix that the model sees.
    """
    ranks = rank_targets(model, examples, max_length=max_length, batch_size=config.eval_batch_size)
    return summarize(ranks, config.metrics_to_report, config.cutoffs)


@torch.no_grad()
def rank_targets(model: Model, examples: Examples, *, max_length: int, batch_size: int) -> NDArray[np.int64]:
    """Rank of each example's target among all items, [targets], from 1; ties count against the model."""
    if isinstance(model, Baseline):
        return model.target_ranks(examples, max_length)
    ranks = np.empty(len(examples), dtype=np.int64)
    device = model.item_embedding.weight.device
    was_training = model.training
    model.eval()
    for batch in ordered_batches(cut_windows(examples, max_length, stride=1), batch_size):
        on_device = batch.to(device)
        hidden = model.encode(on_device.items, batch.layout)
        ranks[batch.examples] = target_ranks(hidden, model.item_embedding.weight, on_device.targets).cpu().numpy()
    model.train(was_training)
    return ranks
