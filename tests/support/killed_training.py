"""A training of a finalist that is killed between two epochs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from experiments.tuning.worker import finalist_training


@contextmanager
def killed_in_the_second_epoch() -> Iterator[None]:
    """Within the block it dies when it is about to keep its second epoch."""
    save, saved = finalist_training.save_checkpoint, []

    def keep_one(path: Path, *args: Any, **keywords: Any) -> None:
        if saved:
            raise KeyboardInterrupt
        saved.append(path)
        save(path, *args, **keywords)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(finalist_training, "save_checkpoint", keep_one)
        with pytest.raises(KeyboardInterrupt):
            yield
