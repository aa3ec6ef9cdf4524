"""Config files: our names, RecBole's, and what becomes of its keys that mean nothing here."""

import json
from pathlib import Path

import pytest

from narm.config import OPTIONS, Config
from narm.config_file import OptionsFile, read_config
from narm.errors import InputError
from narm.recbole_keys import RECBOLE_KEYS

RECBOLE = """\
model: NARM
dataset: ml-100k
gpu_id: '0'
USER_ID_FIELD: user_id
ITEM_ID_FIELD: item_id
TIME_FIELD: timestamp
load_col: {inter: [user_id, item_id, timestamp]}
user_inter_num_interval: "[5,inf)"
item_inter_num_interval: ~
MAX_ITEM_LIST_LENGTH: 20
learner: adam
learning_rate: 1e-3
dropout_probs: [0.25,0.5]
clip_grad_norm: {max_norm: 5, norm_type: 2}
loss_type: 'BPR'
train_neg_sample_args: {distribution: uniform, sample_num: 2}
eval_args:
  split: {'LS': 'valid_and_test'}
  order: TO
  group_by: user
  mode: full
metrics: ["recall", "MRR"]
topk: 20
valid_metric: mrr@20
repeatable: True
"""


def read(tmp_path: Path, text: str) -> OptionsFile:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return read_config(path)


def test_a_file_of_recboles_narm_is_read_as_it_is(tmp_path):
    found = read(tmp_path, RECBOLE)
    config = Config.from_flat(found.values)
    assert (config.data.session_column, config.data.max_item_list_length) == ("user_id", 20)
    assert (config.data.user_inter_num_interval, config.data.split) == ("[5,inf)", "leave_one_out")
    assert (config.training.learning_rate, config.training.clip_grad_norm) == (0.001, 5.0)
    assert config.training.negative_sampling.sample_num == 2
    assert config.evaluation.metrics == ("Recall", "MRR")
    assert (config.evaluation.topk, config.evaluation.objective) == ((20,), "mrr_at_20")
    assert found.line_of["max_item_list_length"] == 10
    assert "item_inter_num_interval" not in found.values


def test_keys_without_effect_are_noted_with_their_reason(tmp_path):
    notes = read(tmp_path, RECBOLE).notes
    file = tmp_path / "c.yaml"
    assert notes == [
        f"{file}:3: gpu_id has no effect: the device is chosen with --device",
        f"{file}:7: load_col has no effect: sessions, items and times are all that NARM reads",
    ]


def test_keys_of_other_models_are_noted(tmp_path):
    (note,) = read(tmp_path, "selected_features: [class]\n").notes
    assert note.endswith("selected_features has no effect: belongs to other models than NARM")


@pytest.mark.parametrize("mode", ["full", "{valid: full, test: full}", "{test: full}"])
def test_full_ranking_may_be_spelled_as_recbole_does(tmp_path, mode):
    assert read(tmp_path, f"eval_args: {{mode: {mode}}}").values == {}


def test_an_empty_file_says_nothing(tmp_path):
    assert read(tmp_path, "# all defaults\n") == OptionsFile()


def test_our_own_options_survive_a_round_trip(tmp_path):
    """Each option, written as YAML under our name, is read as the value it has."""
    config = Config.from_flat(hidden_size=32, dropout_probs=[0.1, 0.2], learning_rate=1e-5, topk=[5, 10])
    text = "".join(f"{name}: {value!r}\n" for name, value in config.flat().items() if value is not None)
    text = text.replace("False", "false").replace(r"'\t'", r'"\t"')
    assert Config.from_flat(read(tmp_path, text).values) == config


@pytest.mark.parametrize("name", ["recbole_keys.json", "recbole_keys_ml100k.json"])
def test_every_default_of_recbole_is_accepted(tmp_path, name):
    """JSON is YAML. The one exception: negatives by default, which RecBole itself refuses beside CE."""
    defaults = json.loads((Path(__file__).parents[1] / "golden" / name).read_text())
    if defaults.get("loss_type") == "CE":
        defaults["train_neg_sample_args"] = None
    found = read(tmp_path, json.dumps(defaults))
    config = Config.from_flat(found.values)
    assert (config.model, config.training) == (Config().model, Config().training)


@pytest.mark.parametrize("key", sorted(RECBOLE_KEYS))
def test_no_key_is_both_an_option_and_without_effect(key):
    assert OPTIONS.canonical(key) not in OPTIONS


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("seed: 1\nhiden_size: 64", 2, "unknown option 'hiden_size'; did you mean 'hidden_size'?"),
        ("seed: 1\n\nhidden_size: 0", 3, "hidden_size: 0: input should be greater than or equal to 1"),
        ("epochs: yes", 1, "epochs: True: input should be a number"),
        ("epochs: 2.5", 1, "epochs: 2.5: input should be a valid integer"),
        ("topk: []", 1, "topk: []: "),
        ("topk: [10, 0]", 1, "topk.1: 0: input should be greater than or equal to 1"),
        ("metrics: [MAP]", 1, "metrics.0: 'MAP': input should be 'Recall', 'MRR'"),
        ("valid_metric: MRR", 1, "'MRR' is not a metric: write one of Recall, MRR"),
        ("loss_type: TOP1", 1, "loss_type: 'TOP1': input should be 'CE', 'BPR' or 'sampled_softmax'"),
        (
            "seed: 1\nMAX_ITEM_LIST_LENGTH: 5\nmax_item_list_length: 6",
            3,
            "a second time: line 2 gives it too",
        ),
        ("split: temporal\neval_args: {split: {LS: valid_and_test}}", 2, "split a second time: line 1 gives"),
        (
            "train_neg_sample_args: {sample: 1}",
            1,
            "unknown option 'train_neg_sample_args.sample'; did you mean",
        ),
        ("clip_grad_norm: {max_nrm: 1}", 1, "clip_grad_norm: {'max_nrm': 1}: input should be a valid number"),
        ("model: SASRec", 1, "model: 'SASRec': input should be 'narm', 'global', 'local', 'pop'"),
        ("learner: sgd", 1, "learner: 'sgd' is not possible, only 'adam'"),
        ("repeatable: False", 1, "repeatable: False is not possible, only True"),
        ("enable_amp: True", 1, "enable_amp: True is not possible, only False"),
        ("session_gap: 30 minutes", 1, "session_gap: '30 minutes': no duration: write 90s, 30m, 24h or 7d"),
        ("eval_args: full", 1, "eval_args: 'full' should be a mapping of split, order, group_by, mode"),
        ("eval_args: {split: {RS: [0.8, 0.1, 0.1]}}", 1, "eval_args.split: {'RS': [0.8, 0.1, 0.1]} is not"),
        ("eval_args: {split: {LS: valid_only}}", 1, "only {'LS': 'valid_and_test'}"),
        ("eval_args: {order: RO}", 1, "eval_args.order: 'RO' is not possible, only 'TO'"),
        ("eval_args: {group_by: none}", 1, "eval_args.group_by: 'none' is not possible, only 'user'"),
        ("eval_args: {mode: uni100}", 1, "eval_args.mode: 'uni100' is not possible, only 'full'"),
        ("eval_args: {mode: {test: uni100}}", 1, "eval_args.mode: {'test': 'uni100'} is not possible"),
        (
            "eval_args: {group_by: none, order: TO, split: {RS: [8, 1, 1]}}",
            1,
            "in place of eval_args write split: temporal, test_share: 0.1, valid_share: 0.1111",
        ),
        ("eval_args: {split: {TS: [6, 2, 2]}}", 1, "split: temporal, test_share: 0.2, valid_share: 0.25"),
        ("eval_args: {split: {RS: [9, 0, 1]}}", 1, "split: temporal, test_share: 0.1, valid_share: 0"),
        ("eval_args: {split: {RS: [1, 1]}}", 1, "write split: temporal, test_share, valid_share"),
        ("eval_args: {mode: {valid: uni50, test: full}}", 1, "`sampled_negatives: 50` adds those of test"),
        ("eval_args: {mode: labeled}", 1, "NARM learns from events, not from labels"),
        (
            "eval_setting: 'TO_LS,full'",
            1,
            "eval_setting: 'TO_LS,full' is not possible, only None: eval_args, as RecBole",
        ),
        ("training_neg_sample_num: 1", 1, "training_neg_sample_num: 1 is not possible, only 0: train_neg_sample_args"),
        ("training:\n  seed: 1", 1, "training: options are not in sections: write its lines without it"),
        ("seed: 1\ntrials: 5", 2, "unknown option 'trials'; --help-options lists them; what a search does is said"),
        ("dropout_probs: [0.1, 0.2, 0.3]", 1, "dropout_probs: [0.1, 0.2, 0.3]: 2 values are wanted, not 3"),
        ("min_user_inter_num: 5", 1, "user_inter_num_interval, such as [5,inf)"),
        ("eval_args: {modes: full}", 1, "eval_args: unknown key 'modes'; did you mean 'mode'?"),
        ("seed: 1\nseed: 2", 2, "'seed' a second time: it is already on line 1"),
        ("seed 1", 1, "expected `name: value` lines"),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path, text, line, message):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    found = str(error.value)
    assert found.startswith(f"{tmp_path / 'c.yaml'}:{line}: ")
    assert message in found
    assert "\n" not in found


def test_a_missing_file_is_a_mistake(tmp_path):
    with pytest.raises(InputError, match=r"^cannot read .*none\.yaml: No such file or directory$"):
        read_config(tmp_path / "none.yaml")


def test_no_negative_samples_are_what_cross_entropy_takes(tmp_path):
    assert read(tmp_path, "training_neg_sample_num: 0\n").values == {}
