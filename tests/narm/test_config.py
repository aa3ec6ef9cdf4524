"""Options: bounds, spellings, messages, and the way to a flat dict and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.config import OPTIONS, Config, NegativeSampling
from narm.errors import InputError


def test_the_defaults_are_those_of_recboles_narm():
    flat = Config().flat()
    assert {name: flat[name] for name in ("embedding_size", "hidden_size", "n_layers", "loss_type")} == {
        "embedding_size": 64,
        "hidden_size": 128,
        "n_layers": 1,
        "loss_type": "CE",
    }
    assert (flat["dropout_probs"], flat["learning_rate"], flat["train_batch_size"]) == (
        [0.25, 0.5],
        1e-3,
        2048,
    )
    assert (flat["epochs"], flat["stopping_step"], flat["valid_metric"]) == (300, 10, "MRR@10")


def test_every_option_has_one_section_a_description_and_a_valid_default():
    assert list(Config().flat()) == list(OPTIONS)
    for name, option in OPTIONS.items():
        assert option.description
        assert OPTIONS.check(name, option.default) == option.default


def test_options_that_a_space_may_name():
    searchable = {name for name, option in OPTIONS.items() if option.searchable}
    assert {"learning_rate", "hidden_size", "dropout_probs", "loss_type"} <= searchable
    assert searchable.isdisjoint({"epochs", "seed", "dataset", "valid_metric", "topk"})


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "hidden_size": st.integers(1, 4096),
            "learning_rate": st.floats(1e-12, 1),
            "dropout_probs": st.tuples(*[st.floats(0, 1, exclude_max=True)] * 2),
            "gru_bias": st.booleans(),
            "clip_grad_norm": st.none() | st.floats(1e-3, 1e3),
            "loss_type": st.sampled_from(["CE", "BPR", "sampled_softmax"]),
            "topk": st.lists(st.integers(1, 100), min_size=1),
            "metrics": st.lists(st.sampled_from(["Recall", "MRR", "NDCG", "Hit", "Precision"]), min_size=1),
            "session_column": st.none() | st.sampled_from(["user_id", "s"]),
        },
    )
)
def test_a_config_survives_its_flat_form(values):
    config = Config.from_flat(values)
    assert Config.from_flat(config.flat()) == config
    assert config.replace(values) == config


def test_nested_options_survive_too():
    config = Config.from_flat(loss_type="BPR", train_neg_sample_args={"sample_num": 3, "alpha": 0.5})
    assert config.training.negative_sampling == NegativeSampling(sample_num=3, alpha=0.5)
    assert Config.from_flat(config.flat()) == config


def test_bpr_without_arguments_draws_one_uniform_negative():
    assert Config.from_flat(loss_type="BPR").training.negative_sampling == NegativeSampling()


@pytest.mark.parametrize(
    ("name", "given_", "expected"),
    [
        ("dropout_probs", "[0.25,0.5]", (0.25, 0.5)),
        ("dropout_probs", "0.25, 0.5", (0.25, 0.5)),
        ("dropout_probs", [0, 0], (0.0, 0.0)),
        ("train_neg_sample_args", "{'sample_num': 2}", NegativeSampling(sample_num=2)),
        ("train_neg_sample_args", "{sample_num: 2}", NegativeSampling(sample_num=2)),
        ("train_neg_sample_args", "None", None),
        ("clip_grad_norm", {"max_norm": 5, "norm_type": 2}, 5.0),
        ("clip_grad_norm", "{'max_norm': 5}", 5.0),
        ("clip_grad_norm", "none", None),
        ("learning_rate", "1e-3", 0.001),
        ("topk", 10, (10,)),
        ("topk", "10,20", (10, 20)),
        ("metrics", "recall", ("Recall",)),
        ("metrics", ["mrr", "Hit"], ("MRR", "Hit")),
        ("valid_metric", "ndcg@5", "NDCG@5"),
        ("gru_bias", "true", True),
    ],
)
def test_values_as_people_and_recbole_write_them(name, given_, expected):
    assert OPTIONS.check(name, given_) == expected
    base = {"loss_type": "BPR"}
    section = getattr(Config.from_flat(base, **{name: given_}), OPTIONS.find(name).section)
    assert getattr(section, name) == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("hidden_size", 0, "hidden_size: 0: input should be greater than or equal to 1"),
        ("hidden_size", 4097, "hidden_size: 4097: input should be less than or equal to 4096"),
        ("hidden_size", 1.5, "hidden_size: 1.5: input should be a valid integer"),
        ("hidden_size", True, "hidden_size: True: input should be a number"),
        ("hidden_size", [64], "hidden_size: [64]: input should be a valid integer"),
        ("n_layers", 9, "n_layers: 9: input should be less than or equal to 8"),
        ("learning_rate", 0, "learning_rate: 0: input should be greater than 0"),
        ("learning_rate", float("nan"), "learning_rate: nan: input should be a finite number"),
        ("learning_rate", "fast", "learning_rate: 'fast': input should be a valid number"),
        ("clip_grad_norm", float("inf"), "clip_grad_norm: inf: input should be a finite number"),
        (
            "clip_grad_norm",
            {"max_norm": 5, "norm_type": 1},
            "clip_grad_norm: {'max_norm': 5, 'norm_type': 1}",
        ),
        ("clip_grad_norm", {"max_nrm": 5}, "clip_grad_norm: {'max_nrm': 5}: input should be a valid number"),
        ("clip_grad_norm", {"max_norm": 0}, "clip_grad_norm: 0: input should be greater than 0"),
        ("dropout_probs", [0.5, 1.0], "dropout_probs.1: 1.0: input should be less than 1"),
        ("dropout_probs", [0.5], "dropout_probs: [0.5]: one value more is needed"),
        ("dropout_probs", [0.1, 0.2, 0.3], "dropout_probs: [0.1, 0.2, 0.3]: "),
        ("attention", "Sum", "attention: 'Sum': input should be 'sum' or 'softmax'"),
        ("loss_type", "TOP1", "loss_type: 'TOP1': input should be 'CE', 'BPR' or 'sampled_softmax'"),
        ("topk", [], "topk: []: "),
        ("topk", [0], "topk.0: 0: input should be greater than or equal to 1"),
        ("topk", True, "topk: True: input should be a list"),
        ("metrics", [], "metrics: []: "),
        (
            "metrics",
            ["AUC"],
            "metrics.0: 'AUC': input should be 'Recall', 'MRR', 'NDCG', 'Hit' or 'Precision'",
        ),
        ("valid_metric", "MRR", "'MRR' is not a metric: write one of Recall, MRR, NDCG, Hit, Precision"),
        ("valid_metric", "MRR@0", "'MRR@0' is not a metric"),
        (
            "train_neg_sample_args",
            {"sample": 1},
            "unknown option 'train_neg_sample_args.sample'; did you mean",
        ),
        (
            "train_neg_sample_args",
            {"distribution": "x"},
            "train_neg_sample_args.distribution: 'x': input should",
        ),
        ("train_neg_sample_args", {"dynamic": True}, "dynamic negatives need candidate_num of 1 or more"),
        (
            "train_neg_sample_args",
            "uniform",
            "train_neg_sample_args: 'uniform': input should be a valid dict",
        ),
        ("seed", -1, "seed: -1: input should be greater than or equal to 0"),
        ("valid_share", 1, "valid_share: 1: input should be less than 1"),
    ],
)
def test_a_value_that_does_not_fit_is_named_alone_and_in_a_config(name, value, message):
    for build in (OPTIONS.check, lambda name, value: Config.from_flat({"loss_type": "BPR", name: value})):
        with pytest.raises(InputError) as error:
            build(name, value)
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)


def test_negatives_without_bpr_are_an_error():
    with pytest.raises(InputError, match="train_neg_sample_args must be None when loss_type is CE"):
        Config.from_flat(train_neg_sample_args={"sample_num": 1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learn_temperature": True}, "learn_temperature must be False when scoring is dot"),
        ({"label_smoothing": 0.1, "loss_type": "BPR"}, "label_smoothing must be 0 when loss_type is BPR"),
        (
            {"learning_rate_decay": 0.9, "learning_rate_schedule": "linear"},
            "learning_rate_decay must be 1 when learning_rate_schedule is linear",
        ),
    ],
)
def test_an_option_that_another_one_leaves_without_effect_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Config.from_flat(options)


@pytest.mark.parametrize("build", [Config.from_flat, Config().replace])
def test_an_unknown_option_names_the_nearest(build):
    with pytest.raises(InputError, match=r"^unknown option 'hiden_size'; did you mean 'hidden_size'\?$"):
        build({"hiden_size": 64})


def test_the_objective_is_a_key_that_mlflow_accepts():
    assert Config.from_flat(valid_metric="Recall@20").evaluation.objective == "recall_at_20"


@pytest.mark.parametrize("key", ["eval_args", "data_path", "RATING_FIELD"])
def test_a_key_of_recboles_files_is_not_taken_for_an_option(key):
    with pytest.raises(InputError, match=r"no option, but a key of RecBole's files: narm\.config_file\.read_config"):
        Config.from_flat({key: "x"})
