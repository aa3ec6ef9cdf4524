"""A trained NARM, or a bag of some, in formats that other programs run: torch.export, ONNX, safetensors.

An export is a folder: the model, `config.json`, and `item_ids.json`, a list of the raw ids in order of their index (the
first, padding, is null). A program maps raw ids to indices, keeps the last `max_item_list_length` of those it knows,
and pads on the right with 0.

B batch, T events, V items.
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
from torch import Tensor

from narm.bag import Bag
from narm.checkpoint import load_model, load_vocabulary, read_checkpoint
from narm.config import Config
from narm.errors import InputError
from narm.machine.files import atomic_file, require_writable, write_text
from narm.model import NARM
from narm.padded import Exportable, narms, onnx_gru_layer, padded, scanned_gru_layer

FORMAT = "narm-export-1"
LARGEST_ONNX = 2**31 - 2**20  # bytes: protobuf's limit, less some room for the graph


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
    if not isinstance(model, (NARM, Bag)) or not narms(model):
        raise InputError(f"{checkpoint}: holds a model {config.model.model}; exports are for narm, global and local")
    write(model, path)
    description = {
        "format": FORMAT,
        "dataset": content["dataset"],
        "fingerprint": content["fingerprint"],
        "refit": content.get("refit", "none"),
        "n_items": model.n_items,
        "members": len(narms(model)),
        "max_item_list_length": config.data.max_item_list_length,
        "model": config.model.model_dump(mode="json"),
    }
    write_text(folder / "config.json", json.dumps(description, indent=2, ensure_ascii=False) + "\n")
    ids = load_vocabulary(checkpoint).ids.tolist()
    write_text(folder / "item_ids.json", json.dumps([None, *ids], ensure_ascii=False) + "\n")
    return path


def write_safetensors(model: Exportable, path: Path) -> None:
    """The parameters by their names, which are RecBole's; those of a bag after `members.0.`, `members.1.`, ..."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    with atomic_file(path) as file:
        file.write(safetensors.torch.save(weights, metadata={"format": "pt"}))


def write_torch(model: Exportable, path: Path) -> None:
    """A `torch.export` program of `padded`, for any batch and length."""
    with _quiet():
        program = torch.export.export(padded(model, scanned_gru_layer), _example(), dynamic_shapes=_shapes())
        with atomic_file(path) as file:
            torch.export.save(program, file)


def write_onnx(model: Exportable, path: Path) -> None:
    """`padded` as ONNX: prefixes [B, T] and lengths [B], int64, to scores [B, V]."""
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
            padded(model, onnx_gru_layer),
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


FORMATS: dict[str, tuple[str, Callable[[Exportable, Path], None]]] = {
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
