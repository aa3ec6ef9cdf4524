"""RecBole's config keys that are no options of ours: what becomes of each when a config file has it.

A key is either without effect here, for the reason given, or fixed: NARM or this suite has one value of
it, and a file that asks for another is refused rather than silently trained differently.
(recbole 1.2.1, properties/overall.yaml and properties/dataset/sample.yaml; keys of releases before 1.0, and those of
other sequential models that stand in files written for several.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ignored:
    """A key without effect, and why that changes no result."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A key with one accepted value (or null), and what to do instead of another."""

    value: Any
    instead: str


_DEVICE = Ignored("the device is chosen with --device")
_NO_COPY = Ignored("data are read once and shared, never saved again")
_TRACKING = Ignored("MLflow does the tracking")
_LOGGING = Ignored("what is shown does not change the result")
_DISTRIBUTED = Ignored("Ray spreads the trials; each trains in one process")
_ONLY_SESSIONS = Ignored("sessions, items and times are all that NARM reads")
_INTERNAL = Ignored("names a column that RecBole makes for itself")
_NO_KNOWLEDGE = Ignored("NARM has no knowledge graph")
_OTHER_LOSSES = Ignored("belongs to losses that NARM does not have")
_FLOAT32 = "training is in float32 throughout"
_OLDER = "train_neg_sample_args, as RecBole has it since 1.1"
_FILTER_BEFORE = "leave the other events out of the file"
_EVAL_ARGS = "eval_args, as RecBole has it since 1.0"
_USER_INTERVAL = "user_inter_num_interval, such as [5,inf), as RecBole has it since 1.0"
_ITEM_INTERVAL = "item_inter_num_interval, such as [5,inf), as RecBole has it since 1.0"
_OTHER_MODELS = Ignored("belongs to other models than NARM")

RECBOLE_KEYS: dict[str, Ignored | Fixed] = {
    # environment
    "gpu_id": _DEVICE,
    "use_gpu": _DEVICE,
    "worker": Ignored("batches come from arrays in memory, without worker processes"),
    "local_rank": _DISTRIBUTED,
    "nproc": _DISTRIBUTED,
    "world_size": _DISTRIBUTED,
    "offset": _DISTRIBUTED,
    "ip": _DISTRIBUTED,
    "port": _DISTRIBUTED,
    "state": _LOGGING,
    "show_progress": _LOGGING,
    "reproducibility": Ignored("runs are reproducible always"),
    "data_path": Ignored("`dataset` is a name or the path of the file itself"),
    "encoding": Fixed("utf-8", "convert the files: iconv -f ENCODING -t utf-8"),
    "checkpoint_dir": Ignored("checkpoints go where the command line says"),
    "save_dataset": _NO_COPY,
    "dataset_save_path": _NO_COPY,
    "save_dataloaders": _NO_COPY,
    "dataloaders_save_path": _NO_COPY,
    "log_wandb": _TRACKING,
    "wandb_project": _TRACKING,
    "shuffle": Fixed(True, "training sessions are always shuffled"),
    # training
    "learner": Fixed("adam", "Adam is the one optimizer"),
    "loss_decimal_place": _LOGGING,
    "metric_decimal_place": Fixed(4, "validations are compared to four decimals, RecBole's default"),
    "neg_sampling": Fixed(None, _OLDER),
    "training_neg_sample_num": Fixed(0, _OLDER),
    "reg_weight": _OTHER_LOSSES,
    "require_pow": _OTHER_LOSSES,
    "enable_amp": Fixed(False, _FLOAT32),
    "enable_scaler": Fixed(False, _FLOAT32),
    "transform": Fixed(None, "sessions are not augmented or masked"),
    # evaluation
    "repeatable": Fixed(True, "items seen before stay candidates, as RecBole has it for sequential models"),
    "valid_metric_bigger": Fixed(True, "more is better for each of our metrics"),
    "eval_setting": Fixed(None, f"{_EVAL_ARGS}; TO_LS,full is what `split: leave_one_out` does"),
    "split_ratio": Fixed(None, _EVAL_ARGS),
    "leave_one_num": Fixed(None, _EVAL_ARGS),
    "group_by_user": Fixed(None, _EVAL_ARGS),
    "real_time_process": _NO_COPY,
    # columns
    "RATING_FIELD": _ONLY_SESSIONS,
    "LABEL_FIELD": _ONLY_SESSIONS,
    "threshold": Ignored("NARM learns from events, not from labels"),
    "seq_len": _ONLY_SESSIONS,
    "numerical_features": _ONLY_SESSIONS,
    "NEG_PREFIX": _INTERNAL,
    "ITEM_LIST_LENGTH_FIELD": _INTERNAL,
    "LIST_SUFFIX": _INTERNAL,
    "POSITION_FIELD": _INTERNAL,
    "load_col": _ONLY_SESSIONS,
    "unload_col": _ONLY_SESSIONS,
    "unused_col": _ONLY_SESSIONS,
    "additional_feat_suffix": _ONLY_SESSIONS,
    # filtering and preprocessing
    "rm_dup_inter": Fixed(None, "repeated events are part of a session"),
    "val_interval": Fixed(None, _FILTER_BEFORE),
    "lowest_val": Fixed(None, _FILTER_BEFORE),
    "highest_val": Fixed(None, _FILTER_BEFORE),
    "equal_val": Fixed(None, _FILTER_BEFORE),
    "not_equal_val": Fixed(None, _FILTER_BEFORE),
    "min_user_inter_num": Fixed(None, _USER_INTERVAL),
    "max_user_inter_num": Fixed(None, _USER_INTERVAL),
    "min_item_inter_num": Fixed(None, _ITEM_INTERVAL),
    "max_item_inter_num": Fixed(None, _ITEM_INTERVAL),
    "filter_inter_by_user_or_item": _ONLY_SESSIONS,
    "alias_of_user_id": _ONLY_SESSIONS,
    "alias_of_item_id": _ONLY_SESSIONS,
    "preload_weight": Fixed(None, "embeddings are learned from the start"),
    "normalize_field": _ONLY_SESSIONS,
    "normalize_all": _ONLY_SESSIONS,
    "discretization": _ONLY_SESSIONS,
    # other models
    "attn_dropout_prob": _OTHER_MODELS,
    "hidden_act": _OTHER_MODELS,
    "hidden_dropout_prob": _OTHER_MODELS,
    "initializer_range": _OTHER_MODELS,
    "inner_size": _OTHER_MODELS,
    "layer_norm_eps": _OTHER_MODELS,
    "n_heads": _OTHER_MODELS,
    "pooling_mode": _OTHER_MODELS,
    "selected_features": _OTHER_MODELS,
    # knowledge graphs
    "HEAD_ENTITY_ID_FIELD": _NO_KNOWLEDGE,
    "TAIL_ENTITY_ID_FIELD": _NO_KNOWLEDGE,
    "RELATION_ID_FIELD": _NO_KNOWLEDGE,
    "ENTITY_ID_FIELD": _NO_KNOWLEDGE,
    "alias_of_entity_id": _NO_KNOWLEDGE,
    "alias_of_relation_id": _NO_KNOWLEDGE,
    "kg_reverse_r": _NO_KNOWLEDGE,
    "entity_kg_num_interval": _NO_KNOWLEDGE,
    "relation_kg_num_interval": _NO_KNOWLEDGE,
}


def is_of_files(name: str) -> bool:
    """Whether only a configuration file may have this key, in any case: it is RecBole's, and no option."""
    return name.lower() == "eval_args" or name.lower() in RECBOLE_KEYS or name.upper() in RECBOLE_KEYS
