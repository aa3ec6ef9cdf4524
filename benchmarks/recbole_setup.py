"""RecBole as its own quick start sets it up, but quiet. Runs in the peer's environment (see peer.py)."""

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")  # those of RecBole and its old dependencies: nothing we could act on

from recbole.config import Config  # type: ignore[import-not-found]  # noqa: E402
from recbole.utils import init_seed  # type: ignore[import-not-found]  # noqa: E402

logging.disable(logging.WARNING)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Work in a temporary folder: RecBole leaves `saved/` and `log_tensorboard/` wherever it runs."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def narm_config(dataset: str = "ml-100k", **settings: Any) -> Any:
    """Return RecBole's configuration of NARM, seeded as its quick start does it.

    CE is an error unless `train_neg_sample_args` is None, which is not RecBole's default: so it is set here.
    """
    sys.argv[1:] = []  # RecBole would read our own command line as settings
    if settings.get("loss_type", "CE") == "CE":
        settings["train_neg_sample_args"] = None
    config = Config(model="NARM", dataset=dataset, config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    return config
