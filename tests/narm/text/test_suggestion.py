"""What is suggested for an unknown name."""

import pytest

from narm.config import OPTIONS
from narm.text.suggestion import did_you_mean, nearest


def test_the_nearest_name_in_any_spelling():
    assert did_you_mean("Hiden-Size", ["n_layers", "hidden_size"]) == "; did you mean 'hidden_size'?"


def test_without_a_near_name_all_are_listed():
    assert did_you_mean("xyz", ["abc", "def"]) == "; known: abc, def"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hiden_size", "hidden_size"),
        ("hidden", "hidden_size"),
        ("learning-rate", "learning_rate"),
        ("lerning_rate", "learning_rate"),
        ("batch_size", "train_batch_size"),
        ("epoch", "epochs"),
        ("embeding_size", "embedding_size"),
        ("dropout_prob", "dropout_probs"),
        ("time", "time_column"),
        ("max_seq_length", None),
    ],
)
def test_what_a_person_meant(written, meant):
    assert nearest(written, OPTIONS) == meant


@pytest.mark.parametrize(
    "written",
    [
        "eval_setting",
        "selected_features",
        "lr",
        "weights",
        "n_heads",
        "inner_size",
        "hidden_act",
        "step",
        "loss",
        "gap",
    ],
)
def test_a_name_of_something_else_is_not_explained_away(written):
    assert nearest(written, OPTIONS) not in ("eval_step", "sampled_negatives", "train_neg_sample_args", "metrics")
