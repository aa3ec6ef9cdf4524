"""NARM, the Neural Attentive Recommendation Machine, and its two halves.

Li, Ren, Chen, Ren, Lian, Ma: "Neural Attentive Session-based Recommendation", CIKM 2017 (the paper).
Parameters have the names and shapes of RecBole's NARM, so that its state_dict loads strictly.

B batch, T steps, N rows (events of a packed batch), Q queries (targets), D embedding, H hidden, V items.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from narm.config import ModelConfig
from narm.data.packing import PackedLayout
from narm.errors import InputError
from narm.layers.attention import additive_attention
from narm.layers.dropout import Dropout
from narm.layers.gru import packed_gru
from narm.layers.scoring import build_scoring
from narm.layers.unit_rows import unit_rows
from narm.two_tower import TwoTower

SHAPE_OPTIONS = frozenset(
    {"model", "embedding_size", "hidden_size", "n_layers", "gru_bias", "scoring", "learn_temperature"}
)
"""Options of `ModelConfig` on which the parameters and their shapes depend."""


class SessionEncoder(TwoTower):
    """A network of one embedding an item, from which it makes the vectors of sessions and of items.

    Args:
        n_items: items and the padding, V.
        config: shape of the network.
    """

    def __init__(self, n_items: int, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.item_embedding = nn.Embedding(n_items, config.embedding_size, padding_idx=0)  # [V, D]
        self.scoring = build_scoring(config)

    @property
    def n_items(self) -> int:
        """Items and the padding, V."""
        return self.item_embedding.num_embeddings

    def compute_item_vectors(self) -> Tensor:
        """The vectors of all items, [V, D]."""
        return self.scoring.of_items(self.item_embedding.weight)

    def item_vectors(self, embeddings: Tensor | None = None) -> Tensor:
        """What a session is multiplied with to score items: of all, [V, D], or of some embeddings, [N, D]."""
        return super().item_vectors() if embeddings is None else self.scoring.of_items(embeddings)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As torch's own.

        Raises:
            InputError: it is of a model that scores in another way.
        """
        given = "cosine" if "scoring.log_temperature" in state_dict else "dot"
        if strict and given != self.config.scoring:
            raise InputError(
                f"scoring: these weights were trained with {given}, this model has {self.config.scoring}; "
                f"they mean something else to it: build it with scoring={given}"
            )
        return super().load_state_dict(state_dict, strict, assign)

    def encode(self, items: Tensor, layout: PackedLayout) -> Tensor:
        """Represent the session as it stood at each query, [Q, D], from the items of a packed batch, [N]."""
        # index_select: the backward of nn.Embedding, and of indexing, is several times slower on the CPU
        return self.encode_embedded(self.item_embedding.weight.index_select(0, items), layout)

    def encode_embedded(self, events: Tensor, layout: PackedLayout) -> Tensor:
        """Like `encode`, but takes the embeddings of the events, [N, D]."""
        events = unit_rows(events) if self.config.unit_events else events
        return self.scoring.of_sessions(self.represent(events, layout))

    @abstractmethod
    def represent(self, events: Tensor, layout: PackedLayout) -> Tensor:
        """What the network makes of each session, [Q, D], before `scoring`.

        Args:
            events: embeddings of the events of a packed batch, [N, D]; of length one, if `unit_events` says so.
            layout: positions of its events and queries.
        """


class NARM(SessionEncoder):
    """A GRU reads the session; attention by the last state recalls what it was after; a bilinear form scores items.

    The paper's eq. 5-12. Differs from it as RecBole does: sigmoid attention weights are summed as they are, unless
    `attention` is "softmax", and the GRU has no biases, unless `gru_bias`. The paper's ablations (its section 4.5) are
    models "global", which has no attention, and "local", whose attention is all that is decoded; their decoder is
    [D, H], and "global" is a GRU4Rec with that decoder. With `scoring` "cosine" the form's two sides have length one,
    and with `unit_events` what the GRU reads, too: together they are NISER's normalisation (Gupta et al., 2019).
    """

    def __init__(self, n_items: int, config: ModelConfig) -> None:
        super().__init__(n_items, config)
        D, H = config.embedding_size, config.hidden_size
        self.emb_dropout = Dropout(config.dropout_probs[0])
        self.gru = nn.GRU(D, H, config.n_layers, bias=config.gru_bias, batch_first=True)
        if config.encoder != "global":
            self.a_1 = nn.Linear(H, H, bias=False)  # of the events, eq. 8
            self.a_2 = nn.Linear(H, H, bias=False)  # of the last event
            self.v_t = nn.Linear(H, 1, bias=False)
        self.ct_dropout = Dropout(config.dropout_probs[1])
        self.b = nn.Linear(2 * H if config.encoder == "hybrid" else H, D, bias=False)  # the bilinear decoder, eq. 12
        self.apply(initialize)

    def represent(self, events: Tensor, layout: PackedLayout) -> Tensor:
        """What the bilinear decoder makes of each session, [Q, D]."""
        embedded = self.emb_dropout(events)  # [N, D]
        hidden = packed_gru(embedded, layout.step_offsets, self._gru_weights())  # [N, H]
        last = hidden.index_select(0, torch.from_numpy(layout.query_rows).to(hidden.device))  # c_global, [Q, H]
        match self.config.encoder:
            case "hybrid":
                session = torch.cat([self._local(hidden, last, layout), last], dim=1)  # [Q, 2H]
            case "global":
                session = last
            case "local":
                session = self._local(hidden, last, layout)
        return self.b(self.ct_dropout(session))  # type: ignore[no-any-return]

    def _local(self, hidden: Tensor, last: Tensor, layout: PackedLayout) -> Tensor:
        """c_local, [Q, H]: what the last state recalls of all states, [N, H]."""
        return additive_attention(
            self.a_2(last),
            self.a_1(hidden),
            hidden,
            self.v_t.weight.squeeze(0),
            layout,
            normalize=self.config.attention == "softmax",
        )

    def _gru_weights(self) -> list[tuple[Tensor, Tensor, Tensor | None, Tensor | None]]:
        """Input and recurrent weights [3H, D or H], [3H, H] and biases [3H] of each layer."""
        return [
            (weights[0], weights[1], *(weights[2:] if len(weights) == 4 else (None, None)))
            for weights in self.gru.all_weights
        ]


def initialize(module: nn.Module) -> None:
    """RecBole's: Xavier normal for embeddings (padding included) and linear maps; the GRU keeps torch's own."""
    if isinstance(module, (nn.Embedding, nn.Linear)):
        nn.init.xavier_normal_(module.weight)
