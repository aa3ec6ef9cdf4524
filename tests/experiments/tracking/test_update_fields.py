"""Parameters, tags and datasets as MLflow takes them."""

from __future__ import annotations

from experiments.tracking.update_fields import LONGEST_TAG, flat_params, short_tags


def test_parameters_are_flat() -> None:
    assert flat_params(
        {
            "a": 1,
            "metrics": ("MRR", "Hit"),
            "args": {"sample_num": 2, "range": [0, 1.5]},
            "none": None,
            "empty": (),
        }
    ) == {
        "a": "1",
        "metrics": "['MRR', 'Hit']",
        "args_sample_num": "2",
        "args_range": "[0, 1.5]",
        "args_range_0": "0",
        "args_range_1": "1.5",
        "none": "None",
        "empty": "[]",
    }


def test_a_tag_is_cut_and_an_empty_description_replaces_none() -> None:
    assert short_tags({"reason": "x" * (LONGEST_TAG + 1)}) == {"reason": "x" * LONGEST_TAG}
    assert short_tags({}, "Better.") == {"mlflow.note.content": "Better."}
