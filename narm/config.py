"""Every option of a model, defined once: type, default, bounds, unit and the reason for the default.

Command-line flags, YAML keys, search spaces, MLflow parameters and error messages all come from here.
Names are those of RecBole's NARM page where it has one; `recbole` names the key that differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from narm.errors import InputError
from narm.metrics import METRICS, MetricName, key_of, parse_metric
from narm.models import MODELS, ModelName
from narm.option_types import (
    Cutoff,
    DurationText,
    Listed,
    Literally,
    MaxNorm,
    MetricNames,
    MetricText,
    ModelText,
    Probability,
    Separator,
)
from narm.options import OptionTable, option
from narm.recbole_keys import is_of_files

Encoder = Literal["hybrid", "global", "local"]
Weighting = Literal["same", "div", "linear", "quadratic", "log"]


class _Section(BaseModel):
    """A frozen group of options that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NegativeSampling(_Section):
    """RecBole's `train_neg_sample_args`: how negatives for BPR are drawn."""

    distribution: Literal["uniform", "popularity"] = option("uniform", "how items are drawn")
    sample_num: int = option(1, "negatives for each positive", ge=1, le=10_000)
    alpha: float = option(1.0, "exponent of an item's count, for popularity", ge=0, le=10)
    dynamic: bool = option(False, "keep the best-scoring of `candidate_num` candidates")
    candidate_num: int = option(0, "candidates for each dynamic negative", ge=0, le=10_000)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dynamic and self.candidate_num < 1:
            raise ValueError("dynamic negatives need candidate_num of 1 or more")
        return self


class ModelConfig(_Section):
    """Which model, and the shape of NARM's network (Li et al., CIKM 2017, section 3)."""

    model: ModelText = option(
        "narm", "narm, one of its halves (global: the last state alone; local: the attention alone), or a baseline"
    )
    embedding_size: int = option(64, "item embedding, dimensions", reason="RecBole's", searchable=True, ge=1, le=4096)
    hidden_size: int = option(
        128, "GRU state, dimensions", reason="RecBole's; the paper has 100", searchable=True, ge=1, le=4096
    )
    n_layers: int = option(1, "stacked GRU layers", reason="the paper's", searchable=True, ge=1, le=8)
    dropout_probs: Annotated[tuple[Probability, Probability], Listed] = option(
        (0.25, 0.5),
        "dropout of the item embeddings, and of the session representation",
        reason="the paper's",
        searchable=True,
    )
    attention: Literal["sum", "softmax"] = option(
        "sum",
        "attention weights: as they are (RecBole, the paper's eq. 8) or normalised (the authors' code)",
        reason="RecBole's, so that its checkpoints give the same scores",
        searchable=True,
    )
    gru_bias: bool = option(False, "biases in the GRU", reason="RecBole's", searchable=True)
    scoring: Literal["dot", "cosine"] = option(
        "dot",
        "an item's score: its product with the session's vector (the paper's eq. 11), or their cosine over temperature",
        reason="RecBole's, so that its checkpoints give the same scores",
        searchable=True,
    )
    temperature: float = option(
        0.07,
        "what cosines are divided by; small: scores lie far apart",
        reason="among the best on every data set measured",
        searchable=True,
        ge=0.01,
        le=1,
    )
    learn_temperature: bool = option(False, "train the temperature too, from `temperature` on", searchable=True)

    unit_events: bool = option(
        False, "the network reads the embeddings of events at length one, too", reason="RecBole's", searchable=True
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.learn_temperature and self.scoring != "cosine":
            raise ValueError(f"learn_temperature must be False when scoring is {self.scoring}: only cosine has one")
        return self

    @property
    def encoder(self) -> Encoder:
        """What the network represents a session by: both of NARM's encoders, or one of them."""
        match self.model:
            case "global":
                return "global"
            case "local":
                return "local"
        return "hybrid"


class TrainingConfig(_Section):
    """How the network is trained."""

    learning_rate: float = option(1e-3, "step size of the optimizer", reason="RecBole's", searchable=True, gt=0, le=1)
    optimizer: Literal["adam", "adamw", "adagrad"] = option(
        "adam", "adamw: Adam with weight decay apart from the gradient", reason="RecBole's", searchable=True
    )
    learning_rate_schedule: Literal["decay", "linear", "cosine"] = option(
        "decay",
        "the step size over a run: by learning_rate_decay, or on a line or half a cosine to zero after `epochs`",
        reason="RecBole's, whose decay is 1",
        searchable=True,
    )
    learning_rate_decay: float = option(
        1.0,
        "factor on the step size after each pass over the sessions; 1: constant",
        reason="RecBole's",
        searchable=True,
        gt=0,
        le=1,
    )
    warmup_passes: float = option(
        0.0, "passes over the sessions in which the step size grows from zero", reason="RecBole's", searchable=True,
        ge=0, le=1000,
    )  # fmt: skip
    averaging_passes: float = option(
        0.0,
        "passes over the sessions of whose weights an average is validated and shipped; 0: the weights as they are",
        reason="RecBole's",
        searchable=True,
        ge=0,
        le=1000,
    )
    train_batch_size: int = option(
        2048, "targets in a training step", reason="RecBole's", searchable=True, ge=1, le=1_000_000
    )
    epochs: int = option(300, "epochs at most", reason="RecBole's", ge=1, le=100_000)
    epochs_per_pass: int = option(
        1,
        "epochs that a pass over the training sessions is divided into; 4: each trains on a quarter of the sessions",
        reason="an epoch is a whole pass, as RecBole's; more lets a scheduler judge large data sooner",
        ge=1,
        le=10_000,
    )
    stopping_step: int = option(
        10, "validations without a new best before training stops", reason="RecBole's", ge=0, le=100_000
    )
    eval_step: int = option(1, "epochs between validations; 0: never", reason="RecBole's", ge=0, le=100_000)
    weight_decay: float = option(0.0, "L2 penalty of the weights", reason="RecBole's", searchable=True, ge=0, le=1)
    clip_grad_norm: MaxNorm = option(
        None, "largest norm of the gradient; none: no clipping", reason="RecBole's", searchable=True, gt=0
    )
    loss_type: Literal["CE", "BPR", "sampled_softmax"] = option(
        "CE",
        "CE: full softmax; BPR: pairs of a target and a negative; sampled_softmax: shared negatives",
        reason="RecBole's for NARM",
        searchable=True,
    )
    train_neg_sample_args: Annotated[NegativeSampling | None, Literally] = option(
        None, "negatives for BPR: a mapping of distribution, sample_num, alpha, dynamic, candidate_num"
    )
    softmax_samples: int = option(
        2048, "shared negatives of a sampled-softmax step", searchable=True, ge=1, le=1_000_000
    )
    softmax_alpha: float = option(
        0.75, "exponent of an item's count when softmax negatives are drawn", searchable=True, ge=0, le=10
    )
    label_smoothing: float = option(
        0.0, "share of each target that is spread evenly over all items, by a softmax", reason="RecBole's",
        searchable=True, ge=0, lt=1,
    )  # fmt: skip
    batching: Literal["sessions", "prefixes"] = option(
        "sessions",
        "sessions: every prefix of a session in one pass; prefixes: a row each (the slow reference)",
        reason="the same gradients at a fraction of the cost",
    )
    window_stride: Annotated[int | None, Literally] = option(
        None,
        "events between the windows into which longer sessions are cut for training; none: 4/5 of the window",
        reason="hardly an event is then encoded twice, and each target still sees a fifth of a window or more",
        ge=1,
    )
    seed: int = option(2020, "seed of initial weights, order and dropout", reason="RecBole's", ge=0, le=2**32 - 1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.train_neg_sample_args is not None and self.loss_type != "BPR":
            raise ValueError(
                f"train_neg_sample_args must be None when loss_type is {self.loss_type}: only BPR draws negatives"
            )
        if self.learning_rate_decay != 1 and self.learning_rate_schedule != "decay":
            raise ValueError(
                f"learning_rate_decay must be 1 when learning_rate_schedule is {self.learning_rate_schedule}: "
                "only the schedule decay has a factor"
            )
        if self.label_smoothing and self.loss_type == "BPR":
            raise ValueError("label_smoothing must be 0 when loss_type is BPR: only a softmax has labels to smooth")
        return self

    @property
    def negative_sampling(self) -> NegativeSampling:
        """The negatives BPR draws: what was asked for, or RecBole's default of one uniform negative."""
        return self.train_neg_sample_args or NegativeSampling()


class ItemKNNConfig(_Section):
    """How alike two items are that occur in the same sessions."""

    item_neighbors: int = option(
        100,
        "items kept for each item, the most similar",
        reason="as in GRU4Rec's baseline",
        searchable=True,
        ge=1,
        le=1_000_000,
    )
    similarity_regularization: float = option(
        20.0,
        "sessions added to each item's, so that rare items are not alike by chance",
        reason="as in GRU4Rec's baseline",
        searchable=True,
        ge=0,
        le=1e6,
    )
    similarity_balance: float = option(
        0.5,
        "exponent of the sessions of the item at hand; that of the other's is the rest to 1; 0.5: a cosine",
        reason="as in GRU4Rec's baseline",
        searchable=True,
        ge=0,
        le=1,
    )


class SequentialRulesConfig(_Section):
    """Which items follow which (Ludewig & Jannach, UMUAI 2018)."""

    rule_steps: int = option(
        10, "events between an item and one that follows it, at most", reason="its authors' code", searchable=True,
        ge=1, le=10_000,
    )  # fmt: skip
    rule_weighting: Weighting = option(
        "div", "weight of a rule by its steps n: 1, 1/n, 1 - n/10, 1/n^2, 1/log10(n + 1.7)", reason="the paper's",
        searchable=True,
    )  # fmt: skip


class NeighborsConfig(_Section):
    """Which sessions are neighbours of one, and what they recommend (Ludewig & Jannach 2018; Garg et al. 2019)."""

    k_neighbors: int = option(
        100,
        "neighbouring sessions, the most similar",
        reason="among those that V-SKNN's authors tune over",
        searchable=True,
        ge=1,
        le=1_000_000,
    )
    sample_size: int = option(
        1000,
        "sessions that share an item, the most recent, among which neighbours are sought",
        reason="V-SKNN's authors' code",
        searchable=True,
        ge=1,
        le=1_000_000_000,
    )
    position_weighting: Weighting = option(
        "div",
        "weight of the session's event p of n, with d = n - p: 1, p/n, 1 - d/10, (p/n)^2, 1/log10(d + 1.7)",
        reason="the paper's V-SKNN",
        searchable=True,
    )
    score_weighting: Weighting = option(
        "div",
        "weight of a neighbour whose latest shared event is the n-th from the end: as rule_weighting",
        reason="V-SKNN's authors' code",
        searchable=True,
    )
    idf_weight: float = option(
        0.0,
        "how much more rare items count: 1 + idf_weight * ln(sessions / sessions with the item)",
        reason="the paper's V-SKNN has none",
        searchable=True,
        ge=0,
        le=100,
    )
    session_decay: float = option(
        1.02,
        "events from the end of the session after which one counts e times less (STAN's lambda 1)",
        reason="that of V-SKNN's authors, who reproduced STAN",
        searchable=True,
        gt=0,
        le=1e6,
    )
    recency_decay: float = option(
        1.0,
        "share of all train sessions after which a neighbour counts e times less (STAN's lambda 2)",
        reason="weak: sessions carry their order, not their time",
        searchable=True,
        gt=0,
        le=1e6,
    )
    neighbor_decay: float = option(
        2.05,
        "events from the shared item in a neighbour after which one counts e times less (STAN's lambda 3)",
        reason="that of V-SKNN's authors, who reproduced STAN",
        searchable=True,
        gt=0,
        le=1e6,
    )
    score_decay: float = option(
        1.02,
        "events from the end of the session to the latest that a neighbour shares, after which it counts e times less",
        reason="that of VSTAN's authors",
        searchable=True,
        gt=0,
        le=1e6,
    )


class EvaluationConfig(_Section):
    """What is measured, on a full ranking of all items."""

    metrics: MetricNames = option(tuple(METRICS), "metrics to report")
    topk: Annotated[tuple[Cutoff, ...], Field(min_length=1), Listed] = option((10,), "cutoffs K")
    valid_metric: MetricText = option("MRR@10", "metric that chooses the best epoch and trial", reason="RecBole's")
    eval_targets: Literal["all", "last"] = option(
        "all",
        "events of a validation or test session to predict: all but its first, or the last one only",
        reason="every prefix, as the papers on sessions",
    )
    sampled_negatives: int = option(
        0,
        "rank test targets also among this many items drawn evenly, under keys that say so; 0: not",
        reason="such metrics are misleading (Krichene & Rendle, KDD 2020); for comparison with papers only",
        ge=0,
        le=1_000_000,
    )
    eval_batch_size: int = option(4096, "prefixes encoded at once", reason="RecBole's", ge=1, le=1_000_000)

    @property
    def metrics_to_report(self) -> tuple[MetricName, ...]:
        """`metrics`, and that of `valid_metric` if it is not among them."""
        name, _ = parse_metric(self.valid_metric)
        return self.metrics if name in self.metrics else (*self.metrics, name)

    @property
    def cutoffs(self) -> list[int]:
        """`topk`, and that of `valid_metric`, ascending."""
        return sorted({*self.topk, parse_metric(self.valid_metric)[1]})

    @property
    def objective(self) -> str:
        """Key of `valid_metric` among the results: `mrr_at_10`."""
        return key_of(self.valid_metric)


class DataConfig(_Section):
    """Which events make up the data, and how they are split."""

    dataset: str = option(
        "ml-100k", "a named dataset (ml-100k, synthetic), a file of events, or the folder of a prepared dataset"
    )
    benchmark_filename: Annotated[tuple[str, ...] | None, Listed] = option(
        None, "RecBole's parts of a dataset's folder, [train, valid, test]: NAME.train.inter and so on"
    )
    test_file: Annotated[str | None, Literally] = option(None, "a file of test sessions; then `dataset` is train")
    valid_file: Annotated[str | None, Literally] = option(
        None, "a file of validation sessions; else the last part of train in time"
    )
    split: Literal["auto", "leave_one_out", "temporal"] = option(
        "auto",
        "auto: leave-one-out for RecBole's files of users, by time for sessions",
        reason="what each field does",
    )
    valid_share: float = option(
        0.1,
        "share of train sessions, the last in time, for validation; 0: none, for a last training on all",
        ge=0,
        lt=1,
    )
    test_share: float = option(0.1, "share of sessions, the last in time, for test, when no file is given", gt=0, lt=1)
    test_period: DurationText = option(
        None,
        "sessions that end in the last stretch of time are test: 7d (whole days, UTC), 86400s (seconds); none: a share",
    )
    recent_share: float = option(
        1.0,
        "share of the training targets to keep, the most recent in time",
        reason="Yoochoose 1/64 and 1/4 are 0.015625 and 0.25",
        gt=0,
        le=1,
    )
    unknown_items: Literal["drop", "keep"] = option(
        "drop",
        "test events of items that train and validation lack: dropped, or kept as items that nothing is learned of",
        reason="the item set is that of train",
    )
    columns: Annotated[tuple[str, ...] | None, Listed] = option(
        None, "all columns of text files without a header, in their order, `_` for one that is not used; none: line 1"
    )
    session_column: Annotated[str | None, Literally] = option(
        None,
        "column that names the session, or the user whose events `session_gap` cuts; none: by the format",
        recbole="USER_ID_FIELD",
    )
    item_column: Annotated[str | None, Literally] = option(
        None, "column that names the item; none: by the format", recbole="ITEM_ID_FIELD"
    )
    time_column: Annotated[str | None, Literally] = option(
        None, "column that orders the events; none: by the format", recbole="TIME_FIELD"
    )
    time_unit: Literal["s", "ms", "us", "ns"] = option(
        "s", "unit of times that are numbers; dates have their own", reason="what RecBole's and GRU4Rec's files have"
    )
    session_gap: DurationText = option(
        None, "a user's events are cut into sessions where nothing happens for longer: 30m; none: sessions are given"
    )
    bad_lines: Literal["error", "skip"] = option(
        "error", "rows of a text or Parquet file that are wrong: an error, or left out and counted"
    )
    field_separator: Separator = option("\t", "between the columns of an atomic file")
    seq_separator: Separator = option(" ", "inside a sequence of an atomic file")
    max_item_list_length: int = option(
        50,
        "events of a prefix that the model sees, the last ones",
        reason="RecBole's",
        recbole="MAX_ITEM_LIST_LENGTH",
        ge=1,
        le=10_000,
    )
    min_session_length: int = option(2, "sessions with fewer events are dropped", ge=2)
    max_session_length: Annotated[int | None, Literally] = option(
        None, "sessions with more events are dropped; none: no limit", ge=2
    )
    min_item_support: int = option(
        1,
        "items with fewer events are dropped, in one pass over the sessions of usual length, not as a k-core",
        reason="the published session datasets have 5",
        ge=1,
    )
    user_inter_num_interval: str = option(
        "[0,inf)", "k-core: sessions keep a number of events in this interval, e.g. [5,inf)"
    )
    item_inter_num_interval: str = option(
        "[0,inf)", "k-core: items keep a number of events in this interval, e.g. [5,inf)"
    )


SECTIONS: dict[str, type[_Section]] = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "item_knn": ItemKNNConfig,
    "sequential_rules": SequentialRulesConfig,
    "neighbors": NeighborsConfig,
    "evaluation": EvaluationConfig,
}

OPTIONS = OptionTable(SECTIONS)
"""Every option by its name, in the order of the sections."""


class Config(BaseModel):
    """All options of one training run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    item_knn: ItemKNNConfig = ItemKNNConfig()
    sequential_rules: SequentialRulesConfig = SequentialRulesConfig()
    neighbors: NeighborsConfig = NeighborsConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @classmethod
    def from_flat(cls, values: Mapping[str, object] | None = None, /, **more: object) -> Config:
        """Build a config from option names and values, e.g. `Config.from_flat(hidden_size=100)`.

        What the model implies, such as the one epoch of a model that is learned at once, holds whatever is said.

        Raises:
            InputError: an unknown name (the nearest known one is named) or a value out of bounds.
        """
        named = {OPTIONS.canonical(name): value for name, value in {**(values or {}), **more}.items()}
        model: ModelName = OPTIONS.check("model", named.get("model", ModelConfig().model))
        grouped: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
        for name, value in {**named, **MODELS[model].implied}.items():
            if is_of_files(name):
                raise InputError(
                    f"{name}: no option, but a key of RecBole's files: narm.config_file.read_config reads it"
                )
            grouped[OPTIONS.find(name).section][name] = value
        try:
            sections = {name: SECTIONS[name](**given) for name, given in grouped.items()}
        except ValidationError as error:
            raise OPTIONS.as_input_error(error) from None
        return cls(**sections)

    def flat(self) -> dict[str, Any]:
        """Every option and its value, as plain JSON types."""
        return {
            name: value
            for section in SECTIONS
            for name, value in getattr(self, section).model_dump(mode="json").items()
        }

    def replace(self, values: Mapping[str, object]) -> Config:
        """The same config with some options changed."""
        return Config.from_flat({**self.flat(), **values})
