"""What a training step minimises, from catalogues of a thousand items to millions.

The full softmax scores every item for every target. The sampled softmax scores a few thousand shared
negatives instead, which is what makes a catalogue of a million affordable. BPR compares pairs.

Shapes: Q targets of a batch, V items (item 0 is padding), D embedding, M sampled negatives.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from narm.layers.unit_rows import unit_rows
from narm.losses.chunked_softmax import FullSoftmax, SampledSoftmax


def full_softmax(
    hidden: Tensor, weight: Tensor, targets: Tensor, *, unit_items: bool = False, smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy of the targets among all V items: as in RecBole, the padding item is one of them.

    On the CPU in chunks (`narm.losses.chunked_softmax`), exact up to rounding and in O(V) memory; the same number of
    threads gives the same bits. On other devices in plain torch.

    Args:
        hidden: vectors of the sessions, [Q, D].
        weight: vectors of the items, [V, D].
        targets: items, [Q].
        unit_items: whether the items' vectors are first brought to length one, which here costs next to nothing.
        smoothing: share of each target that is spread evenly over all items (`narm.losses.label_smoothing`).
    Returns:
        scalar.
    Raises:
        ValueError: there are no targets, or one of them is not in 0..V-1.
    """
    _check_items("targets", targets, len(weight))
    if hidden.device.type != "cpu":
        items = unit_rows(weight) if unit_items else weight
        return functional.cross_entropy(hidden @ items.T, targets, label_smoothing=smoothing)
    loss: Tensor = FullSoftmax.apply(  # type: ignore[no-untyped-call]
        hidden, weight, targets, unit_items, smoothing
    )
    return loss


def sampled_softmax(
    hidden: Tensor, weight: Tensor, targets: Tensor, negatives: Tensor, log_q: Tensor, *, smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy of each target among itself and the batch's shared negatives.

    Candidate sampling with the log-Q correction (Bengio & Senecal, IEEE TNN 2008; Jean et al., ACL 2015; Yi
    et al., "Sampling-bias-corrected neural modeling", RecSys 2019): every logit, the target's too, is lowered
    by the log of the probability that its item is a candidate, so that the scores learned are those of the
    full softmax. A negative counts once however often it was drawn, and not for the row whose target it is.
    Only the rows of the candidates enter the products.

    Differs from Yi et al.: Q is the probability to be in the sample, not the expected count. The two agree for
    rare items; where popular ones are expected several times, counts would teach wrong scores.

    Args:
        hidden: vectors of the sessions, [Q, D].
        weight: vectors of the items, [V, D].
        targets: items, [Q].
        negatives: items, drawn with replacement, [M].
        log_q: log of each item's probability to be among the negatives, [V]; see `SharedNegatives`.
        smoothing: share of each target that is spread evenly over the candidates (`narm.losses.label_smoothing`).
    Returns:
        scalar.
    Raises:
        ValueError: there are no targets or no negatives, or one of them is not in 0..V-1 or is never drawn.
    """
    _check_items("targets", targets, len(weight))
    _check_items("negatives", negatives, len(weight))
    log_q = log_q.to(weight.dtype)
    target_bias = -log_q[targets]
    if not target_bias.isfinite().all():
        raise ValueError("a target has log_q -inf: it is never drawn, and nothing corrects its score")
    items = torch.unique(negatives)
    item_bias = -log_q[items]
    target_rows, item_rows = weight.index_select(0, targets), weight.index_select(0, items)
    places = _places(targets, items)
    if hidden.device.type != "cpu":
        return sampled_softmax_reference(hidden, target_rows, item_rows, target_bias, item_bias, places, smoothing)
    loss: Tensor = SampledSoftmax.apply(  # type: ignore[no-untyped-call]
        hidden, target_rows, item_rows, target_bias, item_bias, places, smoothing
    )
    return loss


def _places(targets: Tensor, items: Tensor) -> Tensor:
    """Index of each target [Q] among the sorted items [M], or -1; [Q]."""
    places = torch.searchsorted(items, targets).clamp_(max=len(items) - 1)
    return places.masked_fill_(items[places] != targets, -1)


def sampled_softmax_reference(
    hidden: Tensor,
    target_rows: Tensor,
    item_rows: Tensor,
    target_bias: Tensor,
    item_bias: Tensor,
    places: Tensor,
    smoothing: float = 0.0,
) -> Tensor:
    """What `SampledSoftmax` does, and with the same arguments, in plain torch for any device."""
    scores, own_scores = hidden @ item_rows.T, (hidden * target_rows).sum(dim=1)
    positive = own_scores + target_bias
    own = places.unsqueeze(1) == torch.arange(len(item_rows), device=places.device)
    normaliser = torch.logaddexp(positive, (scores + item_bias).masked_fill(own, -math.inf).logsumexp(dim=1))
    beside = (places < 0).to(scores.dtype)
    mean = (scores.sum(dim=1) + beside * own_scores) / (len(item_rows) + beside)
    return (normaliser - positive + smoothing * (own_scores - mean)).mean()


class SharedNegatives:
    """Draws the negatives that all targets of a batch share, popular items more often.

    Drawn with replacement, so that an item is in the sample with probability 1 - (1 - q) ** M. The padding item
    and items that never occur are not drawn.
    """

    def __init__(self, counts: NDArray[np.int64], n_samples: int, alpha: float) -> None:
        """Prepare the distribution q, proportional to count ** alpha.

        Args:
            counts: how often each item is a target, [V]; the padding's is not looked at.
            n_samples: items a draw, M.
            alpha: 1 is popularity, 0 is uniform over the items that occur.
        Raises:
            ValueError: no item occurs, or `n_samples` is below 1.
        """
        if n_samples < 1:
            raise ValueError(f"n_samples is {n_samples}; it must be at least 1")
        weights = np.where(counts > 0, counts.astype(np.float64) ** alpha, 0.0)
        weights[:1] = 0
        cumulative = np.cumsum(weights)
        if len(counts) == 0 or cumulative[-1] == 0:
            raise ValueError("negatives need items that occur")
        with np.errstate(divide="ignore"):
            log_q = np.log(-np.expm1(n_samples * np.log1p(-weights / cumulative[-1])))
        self.log_q = torch.from_numpy(log_q.astype(np.float32))
        """Log of each item's probability to be drawn at all, [V] float32; -inf for items that never are."""
        self._cumulative = torch.from_numpy(cumulative / cumulative[-1])  # ends in 1 exactly
        self._n_samples = n_samples

    def draw(self, generator: torch.Generator | None = None) -> Tensor:
        """M items, [M] int64, from the generator or else torch's global one."""
        uniform = torch.rand(self._n_samples, dtype=torch.float64, generator=generator)
        return torch.searchsorted(self._cumulative, uniform, right=True)


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Mean of -log(1e-10 + sigmoid(positive - negative)), as in RecBole.

    Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.

    Args:
        positive: scores of the targets, any shape.
        negative: scores of a negative for each, of the same shape.
    Returns:
        scalar.
    """
    return -torch.log(1e-10 + torch.sigmoid(positive - negative)).mean()


def _check_items(name: str, items: Tensor, n_items: int) -> None:
    if items.numel() == 0:
        raise ValueError(f"{name}: at least one item is needed")
    if items.min() < 0 or items.max() >= n_items:
        raise ValueError(f"{name} must lie in 0..{n_items - 1}; they reach {int(items.min())}..{int(items.max())}")
