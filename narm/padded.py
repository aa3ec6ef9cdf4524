"""NARM and bags of it over padded prefixes, in operations that every format of an export knows.

`NARM` packs its batches and computes with kernels of its own; these are the same functions of the same weights, without
either.

B batch, T events, D embedding, H hidden, V items.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch._higher_order_ops import scan  # a prototype, of which torch is pinned and the tests compare every export
from torch.nn import functional

from narm.bag import Bag
from narm.layers.scoring import Cosine
from narm.layers.unit_rows import SHORTEST
from narm.model import NARM

Exportable = NARM | Bag


class PaddedNARM(nn.Module):
    """A NARM in evaluation.

    Args:
        model: gives its layers, which are shared.
        gru_layer: a layer of the GRU in the operations of the format, [T, B, D] -> [T, B, H].
    """

    directions: Tensor
    lengths: Tensor

    def __init__(self, model: NARM, gru_layer: Callable[..., Tensor]) -> None:
        super().__init__()
        self.gru_layer = gru_layer
        self.narm = model
        if isinstance(model.scoring, Cosine):  # directions and lengths: embeddings and vectors would be twice the size
            self.register_buffer("directions", model.item_vectors().detach())  # [V, D]
            self.register_buffer("lengths", model.item_embedding.weight.detach().norm(dim=1, keepdim=True))  # [V, 1]

    def forward(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        """Score every item as the next event after each prefix, as `NARM.scores` does.

        Args:
            prefixes: item indices, [B, T], right-padded with 0.
            lengths: events of each prefix, [B], each in 1..T, which is not checked.
        Returns:
            unnormalised scores, [B, V]; column 0 (padding) is -inf.
        """
        narm = self.narm
        hidden = self._embed(prefixes).transpose(0, 1)  # [T, B, D]
        for layer in narm.gru.all_weights:
            hidden = self.gru_layer(hidden, *layer)
        hidden = hidden.transpose(0, 1)  # [B, T, H]; padding comes after all that counts
        last_step = (lengths - 1)[:, None, None].expand(-1, 1, hidden.shape[2])
        last = hidden.gather(1, last_step)  # [B, 1, H]
        match narm.config.encoder:
            case "hybrid":
                session = torch.cat([self._local(hidden, last, lengths), last], dim=2)
            case "global":
                session = last
            case "local":
                session = self._local(hidden, last, lengths)
        return functional.pad(self._score(narm.b(session).squeeze(1))[:, 1:], (1, 0), value=-torch.inf)

    def _embed(self, prefixes: Tensor) -> Tensor:
        """The embeddings of the events, [B, T, D]."""
        if not isinstance(self.narm.scoring, Cosine):
            embedded: Tensor = self.narm.item_embedding(prefixes)
            return functional.normalize(embedded, dim=2, eps=SHORTEST) if self.narm.config.unit_events else embedded
        directions = functional.embedding(prefixes, self.directions)
        if self.narm.config.unit_events:
            return directions
        return directions * functional.embedding(prefixes, self.lengths)

    def _score(self, session: Tensor) -> Tensor:
        """The scores of all items, [B, V], of sessions [B, D]."""
        if isinstance(self.narm.scoring, Cosine):
            units = functional.normalize(session, eps=SHORTEST)
            return (units @ self.directions.T) / self.narm.scoring.log_temperature.exp()
        return session @ self.narm.item_embedding.weight.T

    def _local(self, hidden: Tensor, last: Tensor, lengths: Tensor) -> Tensor:
        """What the last state [B, 1, H] recalls of all states [B, T, H], [B, 1, H]."""
        narm = self.narm
        matches = narm.v_t(torch.sigmoid(narm.a_2(last) + narm.a_1(hidden))).squeeze(2)  # [B, T]
        beyond = torch.arange(hidden.shape[1], device=lengths.device) >= lengths[:, None]
        if narm.config.attention == "softmax":
            weights = matches.masked_fill(beyond, -torch.inf).softmax(dim=1)
        else:
            weights = matches.masked_fill(beyond, 0.0)
        recalled: Tensor = weights[:, None] @ hidden
        return recalled


class PaddedBag(nn.Module):
    """A bag of NARMs as `PaddedNARM` is a single one: its scores are the mean of theirs.

    Args:
        bag: gives its members, which are shared.
        gru_layer: as in `PaddedNARM`.
    """

    def __init__(self, bag: Bag, gru_layer: Callable[..., Tensor]) -> None:
        super().__init__()
        self.members = nn.ModuleList(PaddedNARM(member, gru_layer) for member in narms(bag))

    def forward(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        """Score every item as the next event after each prefix, as `PaddedNARM` does."""
        first, *others = self.members
        total: Tensor = first(prefixes, lengths)
        for member in others:
            total = total + member(prefixes, lengths)
        return total / len(self.members)


def padded(model: Exportable, gru_layer: Callable[..., Tensor]) -> nn.Module:
    """A model over padded prefixes, in evaluation."""
    made = PaddedBag(model, gru_layer) if isinstance(model, Bag) else PaddedNARM(model, gru_layer)
    return made.eval()


def narms(model: object) -> list[NARM]:
    """The NARMs that a model consists of; none if it is anything else."""
    members = model.members if isinstance(model, Bag) else [model]
    return [member for member in members if isinstance(member, NARM)]


def scanned_gru_layer(
    inputs: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """A layer of a GRU from the zero state as a loop, which torch.export keeps as one.

    It would unroll `nn.GRU`, for the one length it is traced with.
    """

    def step(before: Tensor, gates: Tensor) -> tuple[Tensor, Tensor]:
        reset, update, new = gates.chunk(3, dim=1)
        reset_before, update_before, new_before = functional.linear(before, w_hh, b_hh).chunk(3, dim=1)
        candidate = torch.tanh(new + torch.sigmoid(reset + reset_before) * new_before)
        state = candidate + torch.sigmoid(update + update_before) * (before - candidate)
        return state, state.clone()  # a scan returns no tensor twice

    gates = functional.linear(inputs, w_ih, b_ih)  # [T, B, 3 H]
    _, hidden = scan(step, gates.new_zeros(gates.shape[1], w_hh.shape[1]), gates)
    return hidden  # type: ignore[no-any-return]


def onnx_gru_layer(
    inputs: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """A layer of a GRU from the zero state as ONNX's own operator."""
    weights, recurrent = (_in_onnx_order(w)[None] for w in (w_ih, w_hh))
    biases = None if b_ih is None or b_hh is None else torch.cat([_in_onnx_order(b) for b in (b_ih, b_hh)])[None]
    hidden = torch.onnx.ops.symbolic(
        "GRU",
        [inputs, weights, recurrent, biases],
        {"hidden_size": w_hh.shape[1], "linear_before_reset": 1},
        dtype=inputs.dtype,
        shape=(inputs.shape[0], 1, inputs.shape[1], w_hh.shape[1]),
    )
    return hidden.squeeze(1)


def _in_onnx_order(gates: Tensor) -> Tensor:
    """Weights or biases of the gates z, r, n from those of r, z, n, which is torch's order."""
    reset, update, new = gates.chunk(3)
    return torch.cat([update, reset, new])
