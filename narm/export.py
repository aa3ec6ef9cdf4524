"""A trained NARM in formats that other programs run: torch.export, ONNX, safetensors.

An export is a folder: the model, `config.json`, and `item_ids.json`, a list of the raw ids in order of their index (the
first, padding, is null). A program maps raw ids to indices, keeps the last `max_item_list_length` of those it knows,
and pads on the right with 0.

B batch, T events, D embedding, H hidden, V items.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from torch._higher_order_ops import scan  # a prototype, of which torch is pinned and the tests compare every export
from torch.nn import functional

from narm.checkpoint import load_model, load_vocabulary, read_checkpoint
from narm.config import Config
from narm.errors import InputError
from narm.layers.scoring import Cosine
from narm.layers.unit_rows import SHORTEST
from narm.machine.files import atomic_file, require_writable, write_text
from narm.model import NARM

FORMAT = "narm-export-1"
LARGEST_ONNX = 2**31 - 2**20  # bytes: protobuf's limit, less some room for the graph


class PaddedNARM(nn.Module):
    """A NARM in evaluation, over padded prefixes, in operations that every format knows.

    `NARM` packs its batches and computes with kernels of its own; this is the same function of the same weights,
    without either.

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


def export(checkpoint: Path, folder: Path, format: str) -> Path:
    """Write the model of a checkpoint, with the weights of its best epoch, in one format.

    Several formats may share a folder.

    Args:
        checkpoint: checkpoint of a training run.
        folder: for the export; made if need be.
        format: key of `FORMATS`.
    Returns:
        the file of the model.
    Raises:
        InputError: no readable checkpoint, one of a baseline, a folder that cannot be written, a package that is not
            installed, or a model too large for the format.
    """
    name, write = FORMATS[format]
    path = require_writable(folder / name)
    content, model = read_checkpoint(checkpoint), load_model(checkpoint)
    config = Config.from_flat(content["config"])
    if not isinstance(model, NARM):
        raise InputError(f"{checkpoint}: holds a model {config.model.model}; exports are for narm, global and local")
    write(model, path)
    description = {
        "format": FORMAT,
        "dataset": content["dataset"],
        "fingerprint": content["fingerprint"],
        "n_items": model.n_items,
        "max_item_list_length": config.data.max_item_list_length,
        "model": config.model.model_dump(mode="json"),
    }
    write_text(folder / "config.json", json.dumps(description, indent=2, ensure_ascii=False) + "\n")
    ids = load_vocabulary(checkpoint).ids.tolist()
    write_text(folder / "item_ids.json", json.dumps([None, *ids], ensure_ascii=False) + "\n")
    return path


def write_safetensors(model: NARM, path: Path) -> None:
    """The parameters by their names, which are RecBole's."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    with atomic_file(path) as file:
        file.write(safetensors.torch.save(weights, metadata={"format": "pt"}))


def write_torch(model: NARM, path: Path) -> None:
    """A `torch.export` program of `PaddedNARM`, for any batch and length."""
    with _quiet():
        program = torch.export.export(PaddedNARM(model, scanned_gru_layer).eval(), _example(), dynamic_shapes=_shapes())
        with atomic_file(path) as file:
            torch.export.save(program, file)


def write_onnx(model: NARM, path: Path) -> None:
    """`PaddedNARM` as ONNX: prefixes [B, T] and lengths [B], int64, to scores [B, V]."""
    size = sum(parameter.nbytes for parameter in model.parameters())
    if size > LARGEST_ONNX:
        raise InputError(
            f"format: onnx holds 2 GB and the model has {size / 2**30:.1f} GiB: choose torch or safetensors"
        )
    try:
        import onnxscript  # noqa: F401  # torch's exporter needs it, and says so in a page
    except ImportError:
        raise InputError(
            "format: onnx needs the packages onnx and onnxscript: pip install 'narm-search[onnx]'"
        ) from None
    with _quiet():
        program = torch.onnx.export(
            PaddedNARM(model, onnx_gru_layer).eval(),
            _example(),
            input_names=["prefixes", "lengths"],
            output_names=["scores"],
            dynamic_shapes=_shapes(),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch's exporter returned no program")
    with atomic_file(path) as file:
        file.write(program.model_proto.SerializeToString())


FORMATS: dict[str, tuple[str, Callable[[NARM, Path], None]]] = {
    "onnx": ("model.onnx", write_onnx),
    "torch": ("model.pt2", write_torch),
    "safetensors": ("model.safetensors", write_safetensors),
}
"""The file of each format, and what writes it."""


def _example() -> tuple[Tensor, Tensor]:
    """Inputs to trace with. Sizes of 1 would be taken for constants."""
    return torch.ones(2, 3, dtype=torch.int64), torch.tensor([3, 2])


def _shapes() -> dict[str, dict[int, Any]]:
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    return {"prefixes": {0: batch, 1: length}, "lengths": {0: batch}}


@contextmanager
def _quiet() -> Iterator[None]:
    """torch's exporters warn and log of their own insides."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
