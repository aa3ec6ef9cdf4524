"""All that is said about a model on the test split, from one pass over it.

Q targets, V items and the padding.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from narm.config import EvaluationConfig
from narm.data.sessions import Examples, Splits
from narm.evaluation.beyond_accuracy import beyond_accuracy
from narm.evaluation.full_ranking import chosen_targets, rank_and_list
from narm.evaluation.sampled_ranks import sampled_key, sampled_ranks
from narm.evaluation.scorer import Scorer
from narm.evaluation.slices import Slice, metrics_by_slice
from narm.metrics import summarize


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """How good a model is on test.

    Attributes:
        overall: all targets, with the metrics and their intervals.
        slices: the same by session length, by position and by popularity of the target.
        beyond_accuracy: coverage, Gini index and popularity bias of the lists, by key.
        sampled: metrics among sampled negatives, by keys that say so; empty unless asked for.
    """

    __test__: ClassVar[bool] = False  # for pytest: no class of tests, though its name begins like one

    overall: Slice
    slices: list[Slice]
    beyond_accuracy: dict[str, float]
    sampled: dict[str, float]

    @property
    def metrics(self) -> dict[str, float]:
        """Means over all targets, by key."""
        return self.overall.metrics

    def as_json(self) -> dict[str, Any]:
        """The same as mappings, lists and numbers, without infinity or NaN; `beyond_accuracy` is called `exposure`."""
        content = {"exposure" if key == "beyond_accuracy" else key: value for key, value in asdict(self).items()}
        plain: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
        return plain


def report_on_test(model: Scorer, splits: Splits, config: EvaluationConfig, *, seed: int) -> TestReport:
    """Rank the test targets, and report.

    Args:
        model: scored in evaluation mode, where it is.
        splits: its test targets are ranked; popularity is counted in train.
        config: metrics, cutoffs, which targets, and sampled negatives.
        seed: seed of the bootstrap and of the sampled negatives.
    Raises:
        InputError: more sampled negatives than there are items.
        ValueError: there are no test targets.
        FloatingPointError: the model has diverged.
    """
    examples = chosen_targets(splits.test, config)
    ranks, lists = rank_and_list(
        model,
        examples,
        min(max(config.cutoffs), splits.n_items - 1),
        max_length=splits.max_length,
        batch_size=config.eval_batch_size,
    )
    counts = item_counts(splits.train, splits.n_items)
    overall, *slices = metrics_by_slice(
        ranks, examples, counts, metrics=config.metrics_to_report, cutoffs=config.cutoffs, seed=seed
    )
    return TestReport(
        overall=overall,
        slices=slices,
        beyond_accuracy=beyond_accuracy(lists, examples.target_items, counts, config.cutoffs),
        sampled=_sampled(ranks, splits.n_items, config, seed),
    )


def item_counts(train: Examples, n_items: int) -> NDArray[np.int64]:
    """Training events of each item, [V]: the first of a session too, which nobody has to predict."""
    return np.bincount(train.sessions.items, minlength=n_items)


def _sampled(ranks: NDArray[np.int64], n_items: int, config: EvaluationConfig, seed: int) -> dict[str, float]:
    if config.sampled_negatives == 0:
        return {}
    sampled = sampled_ranks(ranks, n_items=n_items, n_negatives=config.sampled_negatives, seed=seed)
    metrics = summarize(sampled, config.metrics_to_report, config.cutoffs)
    return {sampled_key(key, config.sampled_negatives): value for key, value in metrics.items()}
