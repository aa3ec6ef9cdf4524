"""Packages a checkpoint as an MLflow model, with all the code of this project that it needs."""

from __future__ import annotations

import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import narm
from narm.checkpoint import load_vocabulary, save_for_use
from narm.data.sessions import ItemVocabulary

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

SERVING_PACKAGES = ("filelock", "mlflow", "numba", "numpy", "pandas", "pydantic", "pyyaml", "scipy", "torch")
"""All that the served model imports: no Ray, no Optuna."""


CHECKPOINT_ARTIFACT = "artifacts/model.pt"
"""Where a packaged model has its checkpoint: MLflow keeps the files of a model in `artifacts`, by their names."""


def package(checkpoint: Path, folder: Path) -> None:
    """Write an MLflow model: the checkpoint, the code that runs it, signature, example and pinned requirements.

    Args:
        checkpoint: checkpoint of the model.
        folder: folder to create.
    Raises:
        InputError: the checkpoint cannot be read.
    """
    warnings.filterwarnings("ignore", module=r"mlflow\.")  # it warns about its own types
    import mlflow.pyfunc

    vocabulary = load_vocabulary(checkpoint)
    with tempfile.TemporaryDirectory(prefix="narm-") as temporary:
        lean = Path(temporary) / Path(CHECKPOINT_ARTIFACT).name
        save_for_use(checkpoint, lean)
        mlflow.pyfunc.save_model(
            folder,
            python_model=Path(__file__).with_name("served_model.py"),
            artifacts={"checkpoint": str(lean)},
            code_paths=[str(Path(narm.__file__).parent)],
            signature=_signature(vocabulary),
            input_example=_example(vocabulary),
            pip_requirements=serving_requirements(),
        )


def serving_requirements() -> list[str]:
    """The packages of `SERVING_PACKAGES` in the versions installed here, without local build tags."""
    return [f"{package}=={version(package).partition('+')[0]}" for package in SERVING_PACKAGES]


def _signature(vocabulary: ItemVocabulary) -> ModelSignature:
    """Sessions are lists or text, both of which only MLflow's `any` admits; items are as the vocabulary has them."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import AnyType, Array

    item = DataType.long if vocabulary.ids.dtype.kind in "iu" else DataType.string
    outputs = {"items": item, "scores": DataType.double, "unknown": DataType.string}
    return ModelSignature(
        inputs=Schema([ColSpec(AnyType(), "session")]),  # type: ignore[no-untyped-call]
        outputs=Schema([ColSpec(Array(of), name) for name, of in outputs.items()]),
        params=ParamSchema([ParamSpec("k", DataType.long, 20), ParamSpec("exclude_seen", DataType.boolean, False)]),
    )


def _example(vocabulary: ItemVocabulary) -> pd.DataFrame:
    """Two sessions of known items."""
    ids = vocabulary.ids[:3].tolist()
    return pd.DataFrame({"session": [ids, ids[:1]]})
