"""What a study says of its runs, in the form that MLflow takes: flat parameters, short tags, a described dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from experiments.tuning.study.dataset import Dataset

DESCRIPTION_TAG = "mlflow.note.content"  # what the UI shows as the description, as Markdown
LONGEST_TAG = 8000  # characters that MLflow takes
DIGEST_LENGTH = 12  # enough to distinguish data, and room in the table's column


def flat_params(params: Mapping[str, object]) -> dict[str, str]:
    """Parameters as MLflow keeps them: text, and numbers each under a name of their own.

    `{"dropout_probs": (0.25, 0.5)}` gives `dropout_probs` as well as `dropout_probs_0` and `dropout_probs_1`,
    which the UI can draw as axes; a mapping becomes one parameter a key.
    """
    flat: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            flat |= flat_params({f"{name}_{key}": part for key, part in value.items()})
        elif isinstance(value, Sequence) and not isinstance(value, str):
            flat[name] = str(list(value))
            if all(isinstance(part, (int, float)) for part in value):
                flat |= {f"{name}_{index}": str(part) for index, part in enumerate(value)}
        else:
            flat[name] = str(value)
    return flat


def short_tags(tags: Mapping[str, str], description: str = "") -> dict[str, str]:
    """Tags, cut to what MLflow takes.

    Args:
        tags: text by name.
        description: Markdown; an empty one leaves the run's description as it is.
    """
    described = {DESCRIPTION_TAG: description} if description else {}
    return {name: str(text)[:LONGEST_TAG] for name, text in {**tags, **described}.items()}


def dataset_input(dataset: Dataset, context: str) -> dict[str, str]:
    """The fields of an MLflow dataset, and what a run used it for; the data themselves are not sent."""
    counts = {
        "n_items": dataset.n_items,
        "n_sessions": dataset.n_sessions,
        "n_train": dataset.n_train,
        "n_valid": dataset.n_valid,
        "n_test": dataset.n_test,
    }
    return {
        "name": dataset.name,
        "digest": dataset.fingerprint[:DIGEST_LENGTH],
        "source_type": "code",  # of those that MLflow can read, the one that promises no address
        "source": json.dumps({"tags": {"dataset": dataset.source}}, ensure_ascii=False),
        "profile": json.dumps({**counts, "sha256": dataset.fingerprint}),
        "context": context,
    }
