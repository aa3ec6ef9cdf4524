"""How a session's representation and the item embeddings make scores: by their product, or by their cosine.

Both turn the representations and the embeddings into vectors whose product is the score, so that losses, rankings and
exports know products only.

Q sessions, D embedding, V items.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from narm.config import ModelConfig
from narm.layers.unit_rows import unit_rows

LOWEST_TEMPERATURE = 0.01
"""Where a learned temperature ends: as in CLIP, scores are no larger than 100 (Radford et al., ICML 2021)."""


class DotProduct(nn.Module):
    """score = session . item, the paper's eq. 11 and RecBole's."""

    has_unit_items = False
    """Whether `of_items` does no more than bring the embeddings to length one."""

    def of_sessions(self, sessions: Tensor) -> Tensor:
        """The representations as they are, [Q, D]."""
        return sessions

    def of_items(self, embeddings: Tensor) -> Tensor:
        """The embeddings as they are, [V, D]."""
        return embeddings


class Cosine(nn.Module):
    """score = cos(session, item) / temperature.

    Gupta et al., "NISER: Normalized item and session representations to handle popularity bias", arXiv:1909.04276; Hou
    et al., "CORE: Simple and effective session-based recommendation within consistent representation space", SIGIR
    2022. An item cannot score high by the length of its row alone, which is what popular items grow. Differs from both:
    the inputs of the network keep their lengths, unless `unit_events` says otherwise.

    Args:
        temperature: what cosines are divided by; where learning starts, if it is learned.
        learned: whether training changes it, by its logarithm (Radford et al., ICML 2021).
    """

    has_unit_items = True

    def __init__(self, temperature: float, *, learned: bool) -> None:
        super().__init__()
        log_temperature = torch.tensor(math.log(temperature))
        if learned:
            self.log_temperature = nn.Parameter(log_temperature)
        else:
            self.register_buffer("log_temperature", log_temperature)

    def of_sessions(self, sessions: Tensor) -> Tensor:
        """Vectors of length 1 / temperature, [Q, D]."""
        if self.log_temperature.requires_grad and self.training:
            with torch.no_grad():
                self.log_temperature.clamp_(min=math.log(LOWEST_TEMPERATURE))
        if self.log_temperature.requires_grad or self.log_temperature.is_cuda:  # a GPU need not be waited for
            return unit_rows(sessions) / self.log_temperature.exp()
        return unit_rows(sessions, length=math.exp(-float(self.log_temperature)))

    def of_items(self, embeddings: Tensor) -> Tensor:
        """Vectors of length 1, [V, D]."""
        return unit_rows(embeddings)


def build_scoring(config: ModelConfig) -> DotProduct | Cosine:
    """What `scoring` names."""
    if config.scoring == "cosine":
        return Cosine(config.temperature, learned=config.learn_temperature)
    return DotProduct()
