"""Where to compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from narm.errors import InputError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(device: str) -> torch.device:
    """`auto` is the GPU where there is one, else the CPU.

    Raises:
        InputError: an unknown device, or `cuda` where torch finds none.
    """
    import torch  # here, for the help of the command lines needs only the names, and torch takes seconds

    kind = device.split(":")[0]
    if kind not in DEVICES:
        raise InputError(f"device: '{device}' is none of {', '.join(DEVICES)}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError("device: torch finds no CUDA device here; use --device cpu or auto")
    if kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)
