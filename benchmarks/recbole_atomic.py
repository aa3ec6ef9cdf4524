"""A parquet file of events as RecBole's pre-split atomic files. Runs in the peer's environment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MAX_PREFIX = 50
"""RecBole's MAX_ITEM_LIST_LENGTH."""

HEADER = "session_id:token\titem_id_list:token_seq\titem_id:token\n"


def sequential_files(parquet: Path, folder: Path, *, max_sessions: int | None) -> tuple[str, dict[str, Any]]:
    """Write the training examples of a parquet file where RecBole finds them.

    Every event but a session's first is one example, with the last 50 events before it as its prefix: what
    RecBole's own augmentation makes of the same sessions. With `max_sessions` only the first sessions of the
    file are train examples. The validation file holds the whole catalogue, so that the softmax is as wide
    as with all sessions, and prefixes of 50 items, to which RecBole then pads all others, as it always does.

    Args:
        parquet: columns session_id, item_id, timestamp; sessions contiguous and events in time order.
        folder: where the files go.
        max_sessions: None takes all.
    Returns:
        the name of the dataset and the settings with which RecBole reads it.
    """
    events = pd.read_parquet(parquet, columns=["session_id", "item_id"])
    catalogue = events["item_id"].unique()
    if max_sessions is not None:
        events = events[events["session_id"].isin(events["session_id"].unique()[:max_sessions])]
    name = parquet.name.partition(".")[0]
    target_folder = folder / name
    target_folder.mkdir()
    parts = {"train": training_lines(events), "valid": catalogue_lines(catalogue)}
    parts["test"] = iter([f"test\t{catalogue[0]}\t{catalogue[0]}\n"])
    for part, lines in parts.items():
        with (target_folder / f"{name}.{part}.inter").open("w", encoding="utf-8") as file:
            file.write(HEADER)
            file.writelines(lines)
    return name, {
        "data_path": str(folder),
        "benchmark_filename": list(parts),
        "USER_ID_FIELD": "session_id",
        "load_col": {"inter": ["session_id", "item_id_list", "item_id"]},
        "alias_of_item_id": ["item_id_list"],
        "MAX_ITEM_LIST_LENGTH": MAX_PREFIX,
    }


def training_lines(events: pd.DataFrame) -> Iterator[str]:
    """Yield a line for every event but the first of its session."""
    for session, items in events.groupby("session_id", sort=False)["item_id"]:
        tokens = [str(item) for item in items]
        for t in range(1, len(tokens)):
            yield f"{session}\t{' '.join(tokens[max(0, t - MAX_PREFIX) : t])}\t{tokens[t]}\n"


def catalogue_lines(catalogue: np.ndarray) -> Iterator[str]:
    """Yield lines with prefixes of 50 items that name every item; repetition fills the last one up."""
    padded = np.resize(catalogue, -(-len(catalogue) // MAX_PREFIX) * MAX_PREFIX)
    for items in padded.reshape(-1, MAX_PREFIX):
        yield f"catalogue\t{' '.join(map(str, items))}\t{items[0]}\n"
