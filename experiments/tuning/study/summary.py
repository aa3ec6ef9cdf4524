"""What a search found, as `summary.json` holds it; `experiments.reporting` presents it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from experiments.tuning.study.dataset import Dataset
from narm.data.sessions import Held
from narm.errors import InputError
from narm.evaluation.paired_difference import Difference, Seeds
from narm.machine.files import write_text
from narm.metrics import key_of
from narm.text.text_file import read_text

TrialState = Literal["COMPLETE", "PRUNED", "FAIL", "INTERRUPTED", "INFEASIBLE"]
"""Optuna's words for the end of a trial, and two of ours: it waits for `--resume`; it was not trained, since it breaks
a constraint, which Optuna has as pruned."""

Meaning = Literal["better", "undecided", "worse"]
DecidedBy = Literal["validation", "test"]
VALIDATION: DecidedBy = "validation"
TEST: DecidedBy = "test"

STATE_WORDS: dict[TrialState, str] = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "INTERRUPTED": "interrupted",
    "INFEASIBLE": "infeasible",
}

TRAINED_ON: dict[Held, str] = {"valid": "train and validation", "all": "train, validation and test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """The data; sessions and targets are those of training, `n_valid` counts the targets of validation.

    `notes` say how they were read and split, and what was dropped.
    """

    name: str
    fingerprint: str
    n_sessions: int
    n_items: int
    n_targets: int
    n_valid: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetSummary:
        """Describe them."""
        return cls(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            n_sessions=dataset.n_sessions,
            n_items=dataset.n_items,
            n_targets=dataset.n_train,
            n_valid=dataset.n_chosen_valid,
            notes=dataset.notes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSummary:
    """One trial.

    Attributes:
        number: its number, from 0.
        state: how it ended.
        params: the options that the space varies, and their values.
        value: its best objective.
        best_epoch: the epoch of that value.
        epochs: trained.
        seconds: spent training.
        mlflow_run_id: its run there.
        reason: why it ended as it did.
        retries: how often it went on after a failure.
        origin: where its configuration came from: default, recipe, sampler, `trial 3`, a file or a study; None in
            summaries of earlier versions.
        infeasible: which constraint it breaks, so that it cannot ship: `megabytes 61.2 (at most 50)`.
    """

    number: int
    state: TrialState
    params: Mapping[str, Any]
    value: float | None
    best_epoch: int | None
    epochs: int
    seconds: float
    mlflow_run_id: str | None
    reason: str | None = None
    retries: int = 0
    origin: str | None = None
    infeasible: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many trials ended how."""

    complete: int
    pruned: int
    failed: int
    interrupted: int
    infeasible: int = 0

    @classmethod
    def of(cls, trials: Sequence[TrialSummary]) -> Counts:
        """Count them."""
        states = [trial.state for trial in trials]
        return cls(
            complete=states.count("COMPLETE"),
            pruned=states.count("PRUNED"),
            failed=states.count("FAIL"),
            interrupted=states.count("INTERRUPTED"),
            infeasible=states.count("INFEASIBLE"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best trial of the search, and its validation metrics by key."""

    number: int
    params: Mapping[str, Any]
    valid: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The trial of the default configuration, and its validation metrics by key."""

    number: int
    valid: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSummary:
    """The recipe of a search.

    Attributes:
        name: its name.
        number: number of its trial; None: there is none.
        why_not: why there is none; None: there is one, or its turn has not come.
    """

    name: str
    number: int | None
    why_not: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Mean and standard deviation over seeds; None with a single seed."""

    mean: float
    sd: float | None

    def __str__(self) -> str:
        return f"{self.mean:.4f}" if self.sd is None else f"{self.mean:.4f} ± {self.sd:.4f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalistSummary:
    """A finalist, with its metrics by key.

    Attributes:
        number: number of its trial.
        is_default: whether it is the default configuration.
        params: the options that the space varies, and their values.
        seeds: it was trained with.
        epochs: trained with each of them.
        valid: validation metrics of the best epochs, over the seeds.
        test: test metrics of these epochs, over the seeds.
        estimate: the objective on validation as it decides: the mean over the runs and the value of the trial, less
            what trials owe to luck; None in summaries of earlier versions, where the mean over the runs decided.
    """

    number: int
    is_default: bool
    params: Mapping[str, Any]
    seeds: Sequence[int]
    epochs: Sequence[int]
    valid: Mapping[str, Spread]
    test: Mapping[str, Spread]
    estimate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalistFailure:
    """A finalist whose training failed with one seed, and why."""

    number: int
    seed: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A seed that a finalist was given, and why it was this one's turn."""

    number: int
    seed: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The winner less another finalist on test: the difference of the means over seeds, and its 95 % interval.

    An interval that leaves the seeds out holds other sessions only: it is about the models that were trained, and not
    about their configurations.

    Attributes:
        metric: spelled `MRR@10`.
        against: number of the other; None: the model of `--against`.
        difference: above 0 where the winner is better.
        low: end of the interval.
        high: end of the interval.
        seeds: whether the interval holds the chance of the seeds; in summaries of earlier versions it never does.
    """

    metric: str
    against: int | None
    difference: float
    low: float
    high: float
    seeds: Seeds = "left out"

    @classmethod
    def of(cls, lead: Difference, *, metric: str, against: int | None) -> Comparison:
        """Describe the lead of the winner over another."""
        return cls(metric=metric, against=against, difference=lead.mean, low=lead.low, high=lead.high, seeds=lead.seeds)

    @property
    def meaning(self) -> Meaning:
        """What the interval says of the first."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean, and its 95 % interval; None where there are too few sessions for one."""

    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthSummary:
    """The objective on test, over the seeds' mean, in sessions of one class of lengths.

    Attributes:
        name: `2`, `6-10`.
        n_targets: test targets.
        n_sessions: their sessions.
        winner: how good it is there.
        default: how good the default configuration is; None where it is the winner itself, or has no result.
        lead: the winner less the default configuration, target by target; the intervals of all classes hold together.
            None also in summaries of earlier versions.
    """

    name: str
    n_targets: int
    n_sessions: int
    winner: Estimate
    default: Estimate | None
    lead: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedModel:
    """A model that could ship: one run of a finalist, or several as one.

    Attributes:
        seeds: of its runs.
        valid: its own validation metrics, by key.
        test: its own test metrics, by key.
        megabytes: its weights, in 10^6 bytes.
        milliseconds: a request of one session takes, on the threads of a trial.
    """

    seeds: Sequence[int]
    valid: Mapping[str, float]
    test: Mapping[str, float]
    megabytes: float
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitModel:
    """What ships, trained again on what was held out too.

    Attributes:
        on: what it has learned from beside train.
        epochs: it was trained for, with each seed.
        model: without validation metrics, since it has learned from validation; its test metrics are one look that
            decided nothing, and there are none where it has learned from test.
    """

    on: Held
    epochs: Sequence[int]
    model: ShippedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """What `winner.pt` holds, and what it costs to use: the bag where there is one, else the best run.

    Attributes:
        single: the run of the recommended configuration that was best on validation.
        bag: all its runs as one; None: none was asked for, or it would be the single run again.
        why_no_bag: why there is none though one was asked for.
        refit: the one of these that ships, trained again on more; None: it ships as it was compared.
        why_no_refit: why it does, though it was to be trained again.
    """

    single: ShippedModel
    bag: ShippedModel | None = None
    why_no_bag: str | None = None
    refit: RefitModel | None = None
    why_no_refit: str | None = None

    @property
    def model(self) -> ShippedModel:
        """What ships."""
        return self.compared if self.refit is None else self.refit.model

    @property
    def compared(self) -> ShippedModel:
        """What ships, as it was before it was trained again: its figures are comparable."""
        return self.bag or self.single


@dataclass(frozen=True, slots=True, kw_only=True)
class IncumbentSummary:
    """The model of `--against`, which a person has and may keep: one model, as it is.

    Attributes:
        name: `prod.pt`, or `narm-clicks@champion`.
        valid: its validation metrics, by key.
        test: its test metrics, by key.
        comparisons: the winner less this model, the objective first.
        known_items: how many of the items of the data it knows.
        n_items: items of the data.
        same_data: whether it was trained on these very data; others may hold sessions of today's validation and test.
    """

    name: str
    valid: Mapping[str, float]
    test: Mapping[str, float]
    comparisons: Sequence[Comparison]
    known_items: int
    n_items: int
    same_data: bool

    @property
    def lead(self) -> Comparison:
        """The winner less this model, in the objective."""
        return self.comparisons[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finals:
    """The finalists, trained again over seeds and judged on test once.

    Attributes:
        winner: number of the best by its objective on validation.
        n_targets: test targets.
        n_sessions: their sessions, which the intervals resample.
        finalists: the finalists from the winner down.
        comparisons: comparisons of the winner with the runner-up and with the default configuration.
        failures: what could not be trained.
        by_length: the winner and the default configuration by session length, ascending; summaries of earlier
            versions have none.
        shipping: the model that ships; None where it could not be measured, and in summaries of earlier versions.
        decided_by: what decided which finalist is shipped: validation, or, in summaries of earlier versions, test.
        allocations: which finalist was given which seed, in this order; none in summaries of earlier versions.
        why_enough: why none was given another; None in summaries of earlier versions.
        incumbent: the model that a person has; None: none was named.
    """

    winner: int
    n_targets: int
    n_sessions: int
    finalists: Sequence[FinalistSummary]
    comparisons: Sequence[Comparison]
    failures: Sequence[FinalistFailure]
    by_length: Sequence[LengthSummary] = ()
    shipping: Shipping | None = None
    decided_by: DecidedBy = TEST
    allocations: Sequence[Allocation] = ()
    why_enough: str | None = None
    incumbent: IncumbentSummary | None = None

    @property
    def default(self) -> FinalistSummary | None:
        """The default configuration, if it is among them."""
        return next((finalist for finalist in self.finalists if finalist.is_default), None)

    @property
    def against_default(self) -> Comparison | None:
        """The winner against the default configuration, in the objective."""
        default = self.default
        return next((c for c in self.comparisons if default is not None and c.against == default.number), None)

    @property
    def recommended(self) -> int:
        """Number of the one to ship: the winner.

        Earlier versions shipped it only if test showed that it was better than the default configuration; what they
        left as `winner.pt` and registered is what they said.
        """
        default, compared = self.default, self.against_default
        if self.decided_by == VALIDATION or default is None or compared is None or compared.meaning == "better":
            return self.winner
        return default.number

    @property
    def shipped(self) -> FinalistSummary:
        """The one to ship."""
        return next(finalist for finalist in self.finalists if finalist.number == self.recommended)

    @property
    def bag(self) -> ShippedModel | None:
        """The runs of the one to ship as one model, if that is what ships; as it was compared."""
        return None if self.shipping is None else self.shipping.bag

    @property
    def refit(self) -> RefitModel | None:
        """What ships, trained again on what was held out too, if it was."""
        return None if self.shipping is None else self.shipping.refit

    @property
    def shipped_valid(self) -> Mapping[str, float]:
        """Validation metrics of what ships, by key: a bag's own, or the means over the runs where one of them ships.

        Before it was trained again, if it was: then nothing is left that could choose.
        """
        return _means(self.shipped.valid) if self.bag is None else self.bag.valid

    @property
    def shipped_test(self) -> Mapping[str, float]:
        """Likewise on test."""
        return _means(self.shipped.test) if self.bag is None else self.bag.test

    @property
    def kept(self) -> IncumbentSummary | None:
        """The model to keep: the one that a person has, unless validation prefers what this study could ship.

        A draw keeps it, since a change has its price. None: this study's model ships.
        """
        if self.incumbent is None:
            return None
        key = key_of(self.incumbent.lead.metric)
        return self.incumbent if self.incumbent.valid[key] >= self.shipped_valid[key] else None


def _means(metrics: Mapping[str, Spread]) -> dict[str, float]:
    return {key: spread.mean for key, spread in metrics.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBoundary:
    """A parameter of the winner whose value is an end of its range: the optimum may lie beyond."""

    name: str
    value: float
    side: Literal["lower", "upper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoPoint:
    """A trial that no other beats in every objective; `values` by objective, in the study's order."""

    number: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of this session's search: on the wall; spent training, over all trials; not spent so, of the workers'."""

    wall_s: float
    training_s: float
    overhead_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All that `summary.json` holds; `best`, `default` and `finals` are None until they are known.

    Attributes:
        objective: spelled `MRR@10`.
        space: the search space, in JSON types; `by_data` has what the data decided, by parameter.
        finals: None also where no finalists were trained.
        on_boundary: parameters of the winner.
        pareto: the front of a search with several objectives, empty with one.
        stop_reason: why the search ended.
        recipe: None: the search has none.
        constraints: what a model may cost at most to be shipped: `megabytes <= 50`.
    """

    study: str
    command: str
    git_commit: str | None
    versions: Mapping[str, str | None]
    seed: int
    dataset: DatasetSummary
    objective: str
    space: Any
    trials: Sequence[TrialSummary]
    counts: Counts
    best: Best | None
    default: Default | None
    timing: Timing
    finals: Finals | None = None
    on_boundary: Sequence[OnBoundary] = ()
    pareto: Sequence[ParetoPoint] = ()
    stop_reason: str | None = None
    recipe: RecipeSummary | None = None
    constraints: Sequence[str] = ()

    @property
    def winner(self) -> int | None:
        """Number of the best trial by validation: of the finalists, or of the search where there are none."""
        if self.finals is not None:
            return self.finals.winner
        return None if self.best is None else self.best.number

    @property
    def recommended(self) -> int | None:
        """Number of the trial to ship, kept as `winner.pt` and registered.

        None without a result, and where the model that a person has is to be kept.
        """
        if self.finals is None:
            return self.winner
        return self.finals.recommended if self.finals.kept is None else None

    @property
    def keep(self) -> str | None:
        """Name of the model that a person has and should keep; None: there is a trial to ship, or none was named."""
        kept = None if self.finals is None else self.finals.kept
        return None if kept is None else kept.name


def write_summary(path: Path, summary: Summary) -> None:
    """Write `summary.json` atomically."""
    write_text(path, summary_json(summary))


def summary_json(summary: Summary) -> str:
    """What `summary.json` holds: keys in this order, trials by number, NaN and infinity as null.

    The trial to ship, or the model to keep, which follows from the rest, is there for scripts.
    """
    content = {**asdict(summary), "recommended": summary.recommended, "keep": summary.keep}
    content["trials"] = sorted(content["trials"], key=lambda trial: trial["number"])
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_summary(path: Path) -> Summary:
    """Read what `write_summary` wrote.

    Raises:
        InputError: there is no such file, or it is not a summary.
    """
    if path.parent.is_dir() and not path.exists():
        raise InputError(
            f"cannot read {path}: No such file or directory; "
            f"python -m experiments.search --resume {path.parent.name} writes it again"
        )
    try:
        return TypeAdapter(Summary).validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: not the summary of a search: {key}: {first['msg'].lower()}") from None


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def format_params(params: Mapping[str, object]) -> str:
    """`learning_rate=0.005 dropout_probs=[0.1, 0.2]`."""
    return " ".join(f"{name}={format_value(value)}" for name, value in params.items())


def format_value(value: object) -> str:
    """`0.005`, `[0.1, 0.2]`."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(format_value, value))}]"
    return str(value)
