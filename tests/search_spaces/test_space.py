"""What a space can do: draw, translate both ways, contain, count, enumerate and check itself."""

import pickle
from contextlib import suppress
from itertools import product
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.data_size import LARGE, SMALL

from narm.config import OPTIONS, Config
from narm.errors import InputError
from narm.model_options import searchable_options
from narm.models import MODELS
from search_spaces.data_size import DataSize
from search_spaces.recbole import parse_hyper
from search_spaces.space import SearchSpace, load_space, parse_space

BUNDLED = ["narm", "recbole", "smoke", "item_knn", "v_sknn"]

CONDITIONAL = """\
softmax_alpha: {choices: [0.5, 0.75], when: {softmax_samples: [16, 32], loss_type: sampled_softmax}}
softmax_samples: {low: 16, high: 64, step: 16, when: {loss_type: sampled_softmax}}
loss_type: [CE, BPR, sampled_softmax]
dropout_probs[1]: {low: 0.1, high: 0.5, step: 0.1}
clip_grad_norm: [null, 1.0]
weight_decay: {choices: [0.0, 0.01], when: {clip_grad_norm: null}}
"""


class DrawnTrial:
    """Suggests whatever hypothesis comes up with."""

    def __init__(self, data: st.DataObject) -> None:
        self._draw = data.draw

    def suggest_categorical(self, name, choices):
        return self._draw(st.sampled_from(choices), label=name)

    def suggest_int(self, name, low, high, *, step=1, log=False):
        return self._draw(st.integers(0, (high - low) // step), label=name) * step + low

    def suggest_float(self, name, low, high, *, step=None, log=False):
        if step is None:
            return self._draw(st.floats(low, high), label=name)
        return self._draw(st.integers(0, round((high - low) / step)), label=name) * step + low


def write(tmp_path: Path, text: str, suffix: str = ".yaml") -> SearchSpace:
    path = tmp_path / f"space{suffix}"
    path.write_text(text)
    return load_space(path)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory) -> SearchSpace:
    return write(tmp_path_factory.mktemp("conditional"), CONDITIONAL)


@pytest.fixture(params=[*BUNDLED, "conditional"], scope="module")
def space(request, conditional) -> SearchSpace:
    return conditional if request.param == "conditional" else load_space(request.param, LARGE)


@settings(deadline=None)
@given(data=st.data())
def test_a_drawn_point_becomes_a_configuration_and_comes_back(space, data):
    base = Config.from_flat(dropout_probs=[0.125, 0.375])
    params = space.suggest(DrawnTrial(data))
    config = base.replace(space.to_options(params, base))
    assert space.contains(params)
    assert list(params) == [name for name in space.distributions if name in params]
    assert space.from_options(config) == params
    assert config.replace(space.to_options(params, config)) == config


@settings(deadline=None)
@given(data=st.data())
def test_a_point_without_one_of_its_parameters_is_no_point(space, data):
    params = space.suggest(DrawnTrial(data))
    missing = data.draw(st.sampled_from(sorted(params)))
    assert not space.contains({name: value for name, value in params.items() if name != missing})


def test_drawing_from_optuna_records_the_same_distributions(space):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    params = space.suggest(trial)
    assert trial.params == params
    assert trial.distributions == {name: space.distributions[name] for name in params}


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_spaces_fit_the_default_configuration(name):
    space = load_space(name, SMALL)
    space.check(Config())
    assert set(space.options) <= {option.name for option in OPTIONS.values() if option.searchable}


@pytest.mark.parametrize("name", ["narm", "recbole"])
def test_the_default_configuration_is_a_point(name):
    space = load_space(name, SMALL)
    params = space.from_options(Config())
    assert space.contains(params)
    assert Config().replace(space.to_options(params, Config())) == Config()


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_a_space_of_its_own_options_with_the_defaults_inside(model):
    space = load_space(model, SMALL)
    assert set(space.options) <= set(searchable_options(model))
    assert bool(space.options) == bool(searchable_options(model))
    base = Config.from_flat(model=model)
    space.check(base)
    assert space.why_outside(base) is None


def test_recboles_file_has_its_thirty_points():
    space = load_space("recbole")
    assert space.size == 30
    assert space.from_options(Config())["dropout_probs"] == "[0.25,0.5]"
    assert "learning_rate choice [0.01,0.005,0.001,0.0005,0.0001]\n" in space.source


def test_smoke_is_tiny():
    assert load_space("smoke").size == 4


def test_points_have_the_parameters_that_apply_in_the_order_of_the_file(conditional):
    points = list(conditional.grid())
    assert all(list(point) == [name for name in conditional.distributions if name in point] for point in points)
    for point in points:
        assert ("softmax_samples" in point) == (point["loss_type"] == "sampled_softmax")
        assert ("softmax_alpha" in point) == (point.get("softmax_samples") in (16, 32))
        assert ("weight_decay" in point) == (point["clip_grad_norm"] is None)


def test_size_counts_the_grid_which_has_each_point_once(conditional):
    points = list(conditional.grid())
    assert len({tuple(point.items()) for point in points}) == len(points) == conditional.size
    # losses: CE, BPR, and 4 sample counts of which 2 have 2 alphas; 5 dropouts; None with 2 decays, or 1.0
    assert conditional.size == (2 + 2 + 2 * 2) * 5 * 3
    assert all(conditional.contains(point) for point in points)


def test_the_grid_of_independent_choices_is_their_product():
    space = load_space("recbole")
    choices = [distribution.choices for distribution in space.distributions.values()]
    assert [tuple(point.values()) for point in space.grid()] == list(product(*choices))


def test_size_needs_no_enumeration(tmp_path):
    space = write(
        tmp_path,
        "train_batch_size: {low: 1, high: 1000000}\nsoftmax_samples: {low: 1, high: 1000000}\n"
        "hidden_size: {low: 1, high: 4096, when: {train_batch_size: 7}}\n",
    )
    assert space.size == (999_999 + 4096) * 1_000_000


@pytest.mark.parametrize(
    "text", ["weight_decay: {low: 0, high: 1}\nn_layers: [1]", "learning_rate: {low: 0.1, high: 0.2}"]
)
def test_a_continuous_space_has_no_size_and_no_grid(tmp_path, text):
    space = write(tmp_path, text)
    assert space.size is None
    with pytest.raises(InputError, match=r"space\.yaml:1: .* is continuous: a grid needs choices or a step"):
        space.grid()


def test_a_range_of_one_value_is_finite(tmp_path):
    space = write(tmp_path, "weight_decay: {low: 0.5, high: 0.5}")
    assert space.size == 1
    assert list(space.grid()) == [{"weight_decay": 0.5}]


def test_steps_are_decimal(tmp_path):
    space = write(tmp_path, "weight_decay: {low: 0.1, high: 0.7, step: 0.1}")
    assert [point["weight_decay"] for point in space.grid()] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def test_a_configuration_outside_says_where():
    space = load_space("recbole")
    assert space.from_options(Config.from_flat(hidden_size=100)) is None
    assert space.why_outside(Config.from_flat(hidden_size=100)) == "hidden_size is 100, the space has 128"
    assert space.why_outside(Config.from_flat(dropout_probs=[0.1, 0.1])).startswith("dropout_probs is [0.1,0.1], ")
    assert space.why_outside(Config()) is None


def test_a_parameter_that_does_not_apply_cannot_lie_outside(conditional):
    inside = {"dropout_probs": [0.25, 0.5]}
    assert conditional.from_options(Config.from_flat(inside, loss_type="CE", softmax_samples=17)) is not None
    outside = Config.from_flat(inside, loss_type="sampled_softmax", softmax_samples=17)
    assert conditional.why_outside(outside) == "softmax_samples is 17, the space has 16 to 64 in steps of 16"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"loss_type": "TOP1"}, "no choice"),
        ({"softmax_samples": 16}, "does not apply to CE"),
        ({"dropout_probs[1]": 0.15}, "between two steps"),
        ({"dropout_probs[1]": 0.6}, "above"),
        ({"dropout_probs[1]": 0.0}, "below"),
        ({"dropout_probs[1]": None}, "no number"),
        ({"dropout_probs[1]": True}, "no number"),
        ({"hidden_size": 16}, "not varied"),
        ({"weight_decay": 0.0}, "does not apply with clipping"),
    ],
)
def test_contains_refuses(conditional, change, why):
    point = {"loss_type": "CE", "dropout_probs[1]": 0.3, "clip_grad_norm": 1.0}
    assert conditional.contains(point)
    assert not conditional.contains(point | change), why


def test_a_position_keeps_the_others_of_the_base(tmp_path):
    space = write(tmp_path, "dropout_probs[1]: [0.1]")
    assert space.to_options({"dropout_probs[1]": 0.1}, Config.from_flat(dropout_probs=[0.3, 0.4])) == {
        "dropout_probs": [0.3, 0.1]
    }


def test_two_positions_make_one_option(tmp_path):
    space = write(tmp_path, "dropout_probs[1]: [0.1]\ndropout_probs[0]: [0.2]")
    assert space.options == ("dropout_probs",)
    assert space.to_options({"dropout_probs[1]": 0.1, "dropout_probs[0]": 0.2}, Config()) == {
        "dropout_probs": [0.2, 0.1]
    }


def test_what_depends_on_a_parameter_that_does_not_apply_does_not_apply(tmp_path):
    """Not even when it depends on the parameter's None, which is not the value of a parameter that has none."""
    space = write(
        tmp_path,
        "loss_type: [CE, BPR]\nclip_grad_norm: {choices: [null, 1.0], when: {loss_type: BPR}}\n"
        "n_layers: {choices: [1, 2], when: {clip_grad_norm: null}}\n",
    )
    assert space.contains({"loss_type": "CE"})
    assert not space.contains({"loss_type": "CE", "n_layers": 1})
    assert space.size == len(list(space.grid())) == 1 + 2 + 1


def test_check_tries_each_choice_with_the_base(tmp_path):
    space = write(tmp_path, "n_layers: [1]\nloss_type: [BPR, CE]")
    space.check(Config())
    base = Config.from_flat(loss_type="BPR", train_neg_sample_args={"sample_num": 2})
    with pytest.raises(InputError, match=r"space\.yaml:2: loss_type CE does not fit: train_neg_sample_args must"):
        space.check(base)


def test_check_looks_at_conditional_parameters_where_they_apply(tmp_path):
    """With the loss that `weight_decay` depends on, the negatives of the base are fine."""
    base = Config.from_flat(loss_type="BPR", train_neg_sample_args={"sample_num": 2})
    write(tmp_path, "loss_type: [BPR]\nweight_decay: {choices: [0.0, 0.1], when: {loss_type: BPR}}").check(base)


def test_a_space_travels_to_other_processes(conditional):
    assert conditional.size
    assert pickle.loads(pickle.dumps(conditional)) == conditional  # noqa: S301


def test_names_and_suffixes_choose_the_grammar(tmp_path):
    assert write(tmp_path, "n_layers choice [1,2]", ".test").size == 2
    assert write(tmp_path, "n_layers choice [1,2]", ".hyper").size == 2
    assert write(tmp_path, "n_layers: [1, 2]", ".yml").name == "space"
    assert load_space(str(tmp_path / "space.yml")).source == "n_layers: [1, 2]"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("recbol", "no search space 'recbol'; did you mean 'recbole'?"),
        (
            "zzz",
            "known: bpr_mf, global, item_knn, local, narm, pop, recbole, s_knn, s_pop, smoke, sr, stan, v_sknn, "
            "vstan (or",
        ),
        ("zzz", "vstan (or a file that ends in .hyper, .test, .yaml, .yml)"),
        ("space.txt", "no search space 'space.txt'"),
        ("missing.yaml", "cannot read missing.yaml: No such file or directory"),
    ],
)
def test_an_unknown_space_names_the_known_ones(name, message):
    with pytest.raises(InputError) as error:
        load_space(name)
    assert message in str(error.value)


def test_a_parameter_twice_in_recboles_grammar_is_a_mistake(tmp_path):
    with pytest.raises(InputError, match=r"space\.hyper:2: n_layers a second time: it is already on line 1"):
        write(tmp_path, "n_layers choice [1]\nn_layers choice [2]", ".hyper")


WORDS = [
    *("n_layers", "learning_rate", "dropout_probs[0]", "loss_type", "choice", "uniform", "quniform", "loguniform"),
    *(
        "low",
        "high",
        "log",
        "step",
        "when",
        "where",
        "value",
        "items",
        "targets / 4",
        "at least",
        "<=",
        "choices",
        "true",
        "null",
        "CE",
        "1",
        "0.1",
        "1e-30",
        "1e400",
        "-1",
        ".inf",
    ),
    *(" ", " ", "\t", "\n", "\n", ",", ": ", "- ", "{", "}", "[", "]", "'", '"', "#", "&a", "*a", "!!int", "\x00"),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=30).map("".join))
@pytest.mark.parametrize("suffix", [".hyper", ".yaml"])
def test_any_text_is_a_space_or_a_mistake_in_one_line(suffix, text):
    try:
        parse_space("fuzz", f"fuzz{suffix}", text, DataSize(targets=500, items=40)).check(Config())
    except InputError as error:
        assert str(error).startswith(f"fuzz{suffix}:")  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [
        "softmax_alpha quniform 0,1,1e-30",
        "softmax_alpha quniform 0,1e400,1",
        "softmax_alpha quniform 0,1e300,1e-300",
        "softmax_alpha loguniform -1e300,1e300",
        "softmax_alpha uniform 0,1e308",
        "softmax_alpha choice [" + "9" * 5000 + "]",
        "softmax_alpha choice " + "[" * 500,
    ],
)
def test_extreme_numbers_are_no_crash(text):
    with suppress(InputError):
        parse_hyper(text, "a.hyper")
