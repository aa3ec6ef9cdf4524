"""NARM, the Neural Attentive Recommendation Machine, and its two halves.

Li, Ren, Chen, Ren, Lian, Ma: "Neural Attentive Session-based Recommendation", CIKM 2017 (the paper).
Parameters have the names and shapes of RecBole's NARM, so that its state_dict loads strictly.

B batch, T steps, N rows (events of a packed batch), Q queries (targets), D embedding, H hidden, V items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from narm.config import ModelConfig
from narm.data.packing import PackedLayout, pack_padded
from narm.errors import InputError
from narm.layers.attention import additive_attention
from narm.layers.dropout import Dropout
from narm.layers.gru import packed_gru
from narm.layers.scoring import build_scoring
from narm.layers.unit_rows import unit_rows

SHAPE_OPTIONS = frozenset(
    {"model", "embedding_size", "hidden_size", "n_layers", "gru_bias", "scoring", "learn_temperature"}
)
"""Options of `ModelConfig` on which the parameters and their shapes depend."""


class SessionEncoder(nn.Module, ABC):
    """A network that represents a session as a vector; its product with the vectors of the items scores them.

    Args:
        n_items: items and the padding, V.
        config: shape of the network.
    """

    def __init__(self, n_items: int, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.item_embedding = nn.Embedding(n_items, config.embedding_size, padding_idx=0)  # [V, D]
        self.scoring = build_scoring(config)
        self._frozen_vectors: Tensor | None = None

    @property
    def n_items(self) -> int:
        """Items and the padding, V."""
        return self.item_embedding.num_embeddings

    @property
    def n_parameters(self) -> int:
        """Numbers that training changes."""
        return sum(parameter.numel() for parameter in self.parameters())

    def item_vectors(self, embeddings: Tensor | None = None) -> Tensor:
        """What a session is multiplied with to score items: of all, [V, D], or of some embeddings, [N, D]."""
        if embeddings is not None:
            return self.scoring.of_items(embeddings)
        if self._frozen_vectors is not None:
            return self._frozen_vectors
        return self.scoring.of_items(self.item_embedding.weight)

    @torch.no_grad()
    def freeze_items(self) -> None:
        """Compute the vectors of all items once, for a model that is only asked from now on."""
        self._frozen_vectors = self.scoring.of_items(self.item_embedding.weight)

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
        """Represent the session as it stood at each query.

        Args:
            items: item indices of a packed batch, [N].
            layout: positions of its events and queries.
        Returns:
            vectors of the sessions, [Q, D]; their product with `item_vectors` scores the items.
        """
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

    def scores(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        """Score every item as the next event after each prefix.

        Args:
            prefixes: item indices, [B, T], right-padded with 0.
            lengths: events of each prefix, [B], each in 1..T.
        Returns:
            unnormalised scores, [B, V]; column 0 (padding) is -inf.
        Raises:
            ValueError: a length is zero or larger than T.
        """
        if len(lengths) and (int(lengths.min()) < 1 or int(lengths.max()) > prefixes.shape[1]):
            raise ValueError(f"lengths must be in 1..{prefixes.shape[1]}")
        items, layout, order = pack_padded(prefixes, lengths)
        vectors = self.item_vectors()
        scores = torch.empty(len(lengths), self.n_items, dtype=vectors.dtype, device=prefixes.device)
        scores[order] = self.encode(items, layout) @ vectors.T
        scores[:, 0] = -torch.inf
        return scores


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
