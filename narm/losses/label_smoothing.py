"""Label smoothing as an addition to a softmax loss: linear in the logits, so that no kernel needs to know it.

Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016, section 7: a share of each
target is spread evenly over all candidates. With logits s, y the target's, the cross-entropy grows by
smoothing * (s_y - mean_j s_j).

Shapes: Q targets, V items, M sampled items, D embedding.
"""

from __future__ import annotations

from torch import Tensor


def smooth_full(
    smoothing: float,
    hidden: Tensor,
    weight: Tensor,
    factors: Tensor | None,
    targets: Tensor,
    grad_hidden: Tensor,
    grad_weight: Tensor,
) -> Tensor:
    """The addition to each loss, [Q]; adds its mean's gradients to those given, in place.

    Args:
        smoothing: the share.
        hidden: [Q, D].
        weight: rows of the items, [V, D].
        factors: of the items' logits, [V], which their gradients have, too; None: there are none.
        targets: items, [Q].
        grad_hidden, grad_weight: gradients so far, [Q, D] and [V, D].
    """
    share = smoothing / len(hidden)  # of one row in the mean
    of_targets, own = weight.index_select(0, targets), hidden
    if factors is None:
        mean = weight.mean(dim=0)
        grad_weight.sub_(hidden.sum(dim=0), alpha=share / len(weight))
    else:
        of_target = factors.index_select(0, targets).unsqueeze(1)  # [Q, 1]
        of_targets, own = of_targets * of_target, hidden * of_target
        mean = (factors @ weight) / len(weight)
        grad_weight.addr_(factors, hidden.sum(dim=0), alpha=-share / len(weight))
    pull = of_targets - mean  # [Q, D]
    grad_hidden.add_(pull, alpha=share)
    grad_weight.index_add_(0, targets, own, alpha=share)
    return (hidden * pull).sum(dim=1).mul_(smoothing)


def smooth_sampled(
    smoothing: float,
    hidden: Tensor,
    target_rows: Tensor,
    item_rows: Tensor,
    places: Tensor,
    gradients: tuple[Tensor, Tensor, Tensor],
) -> Tensor:
    """The same where the candidates are the target and the sampled items, each once.

    What corrects the logits of sampled items is left out: it is the same whatever is learned.

    Args:
        smoothing: the share.
        hidden: [Q, D].
        target_rows: rows of the targets, [Q, D].
        item_rows: rows of the sampled items, [M, D].
        places: which item is the row's target, or -1, [Q].
        gradients: those of hidden, target_rows and item_rows so far.
    """
    grad_hidden, grad_targets, grad_items = gradients
    beside = (places < 0).to(hidden.dtype).unsqueeze(1)  # 1: the target is a candidate beside the items, [Q, 1]
    weights = (beside + len(item_rows)).reciprocal_()  # of each candidate in the mean, [Q, 1]
    own = 1 - beside * weights  # what is left of the target's logit, [Q, 1]
    share = smoothing / len(hidden)  # of one row in the mean
    pull = own * target_rows - weights * item_rows.sum(dim=0)  # [Q, D]
    grad_hidden.add_(pull, alpha=share)
    grad_targets.addcmul_(own, hidden, value=share)
    grad_items.sub_((weights * hidden).sum(dim=0), alpha=share)
    return (hidden * pull).sum(dim=1).mul_(smoothing)
