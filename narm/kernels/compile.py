"""How the CPU kernels are compiled, cached and chosen: the only module that knows numba's settings.

A kernel declares its signature once, with ``real`` for the floating type, and is compiled for float32 or
float64 when first asked for. The machine code is kept on disk, so only the first run on a machine compiles.
Where that is impossible the callers fall back to their torch reference.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import logging
import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from narm.machine.cache import is_own, temporary_cache, user_cache

logger = logging.getLogger(__name__)

_NUMBA_NAMES = {torch.float32: "f4", torch.float64: "f8"}
# Sums may be reordered, which vectorising needs. Not "nnan"/"ninf": a NaN must reach the loss, where it is
# an error; with these flags the compiler may assume it away.
_FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
_declared: dict[str, list[tuple[Any, str]]] = defaultdict(list)


def kernel(signature: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function as a CPU kernel, callable from Python and from other kernels, on one thread.

    `narm.kernels.threads` calls it on several.

    Args:
        signature: numba's notation with ``real`` for the floating type, such as
            ``"void(real[:, ::1], i8[::1])"``.
    """

    def declare(function: Callable[..., Any]) -> Any:
        dispatcher = inner(function)
        _cache_on_disk(dispatcher)
        _declared[function.__module__].append((dispatcher, signature))
        return dispatcher

    return declare


def inner(function: Callable[..., Any]) -> Any:
    """Declare a function that only kernels call; it becomes part of their machine code."""
    import numba

    return numba.njit(fastmath=_FASTMATH, nogil=True, error_model="numpy", boundscheck=False)(function)


@functools.cache
def compiled(name: str, dtype: torch.dtype) -> ModuleType | None:
    """The module ``narm.kernels.<name>``, compiled for a floating type.

    Returns None, for which callers use their torch reference, when there is no kernel for that type, when the
    environment says ``NARM_KERNELS=off``, or, with a warning, when numba cannot build the module.
    """
    if dtype not in _NUMBA_NAMES or os.environ.get("NARM_KERNELS", "").lower() == "off":
        return None
    try:
        module = importlib.import_module(f"narm.kernels.{name}")
        _compile_once(module, _NUMBA_NAMES[dtype])
    except Exception as error:  # whatever numba, LLVM or the loader raise: a slow run beats none
        reason = (str(error) or type(error).__name__).splitlines()[0]
        logger.warning("cannot build the %s kernel (%s): using plain torch, which is slower", name, reason)
        return None
    return module


def compile_all(dtype: torch.dtype = torch.float32) -> None:
    """Compile every kernel, or load it, now: before several processes would each want to."""
    for name in ("attention", "best", "dropout", "gru", "softmax", "unit"):
        compiled(name, dtype)


def _compile_once(module: ModuleType, real: str) -> None:
    """Compile all kernels of a module, or load them; one process at a time compiles, the others wait."""
    directory = cache_directory()
    if directory is None:
        logger.info("compiling the CPU kernels for every run: there is no writable cache directory")
        _compile(module, real)
        return
    done = directory / f"{module.__name__}.{real}.done"
    if done.exists():
        _compile(module, real)
        return

    from filelock import FileLock

    # numba replaces files atomically, but two processes may give one name to two different kernels
    with FileLock(directory / "lock"):
        if not done.exists():
            name = module.__name__.rpartition(".")[2]
            logger.warning("compiling the %s kernel for this machine, once: some seconds (%s)", name, directory)
        _compile(module, real)
        done.touch()


def on_tensors(name: str, function: str, dtype: torch.dtype, reference: Callable[..., None]) -> Callable[..., None]:
    """A function of a kernel that takes tensors, or its torch reference where there is no kernel.

    Args:
        name: name of the kernel's module.
        function: in it, which writes its results into its arguments.
        dtype: type of the tensors.
        reference: takes the same tensors.
    """
    kernels = compiled(name, dtype)
    if kernels is None:
        return reference
    kernel = getattr(kernels, function)

    def run(*tensors: torch.Tensor) -> None:
        kernel(*(tensor.numpy() for tensor in tensors))

    return run


def _compile(module: ModuleType, real: str) -> None:
    for dispatcher, signature in _declared[module.__name__]:
        dispatcher.disable_compile(False)
        dispatcher.compile(signature.replace("real", real))
        dispatcher.disable_compile()  # a call with other types is a mistake, not a reason to compile


def _cache_on_disk(dispatcher: Any) -> None:
    import numba

    if cache_directory() is None:
        return
    # numba reads the setting when caching is enabled; other users of numba keep their own
    settings: Any = numba.config
    previous = settings.CACHE_LOCATOR_CLASSES
    settings.CACHE_LOCATOR_CLASSES = f"{__name__}.{SourcesLocator.__name__}"
    try:
        dispatcher.enable_caching()
    finally:
        settings.CACHE_LOCATOR_CLASSES = previous


class SourcesLocator:
    """Finds a kernel's machine code by what the sources say, and not, as numba does, by where they stand.

    So a copy of them, as beside a served model, does not compile again. An implementation of numba's interface.
    """

    def __init__(self, line: int) -> None:
        self._line = line

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> SourcesLocator:
        """For a kernel."""
        return cls(function.__code__.co_firstlineno)

    def ensure_cache_path(self) -> None:
        """It is there: `cache_directory` made it."""

    def get_cache_path(self) -> str:
        """The folder."""
        return str(cache_directory())

    def get_source_stamp(self) -> str:
        """What must be as it was; the folder's name says it already."""
        return _fingerprint()

    def get_disambiguator(self) -> str:
        """Between functions of one name."""
        return str(self._line)


@functools.cache
def cache_directory() -> Path | None:
    """The user's directory for compiled kernels of these sources on this kind of CPU; None if not writable.

    Where the user's cache cannot be written, as in a container without a home, it is one among the temporary files:
    else each process would compile for itself, every worker of a search too.
    """
    below = Path("kernels") / _fingerprint()
    if _is_writable(directory := user_cache() / below):
        return directory
    own = temporary_cache()
    return own / below if is_own(own) and _is_writable(own / below) else None


def _is_writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(directory, os.W_OK | os.X_OK)


def _fingerprint() -> str:
    """Everything the machine code depends on. numba itself overlooks changes in called modules."""
    import llvmlite.binding
    import numba

    digest = hashlib.sha256()
    for part in (numba.__version__, llvmlite.binding.get_host_cpu_name()):
        digest.update(part.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
