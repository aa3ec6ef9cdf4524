"""The incumbent: a model that a person has, in production, say, and keeps unless validation prefers a finalist's."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from experiments.tuning.engine.leads import Runs, Trained, lead_over_model
from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.folder import INCUMBENT
from experiments.tuning.study.summary import Comparison, Finals, IncumbentSummary
from experiments.tuning.worker.finalist_training import metrics_on_test
from narm.checkpoint import load_model, load_vocabulary, read_checkpoint
from narm.config import Config, EvaluationConfig
from narm.data.refit import fingerprint_with
from narm.data.sessions import Examples, Held, Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets
from narm.evaluation.known_items import KnownItems
from narm.evaluation.scorer import Scorer
from narm.machine.files import atomic_file
from narm.metrics import Ranks, summarize


@dataclass(frozen=True, slots=True, kw_only=True)
class Incumbent:
    """A trained model, and what it is worth on validation; test is ranked with it once, when the finalists are judged.

    It computes in this process, on the CPU. Items are matched by raw ids, see `narm.evaluation.known_items`.

    Attributes:
        name: `prod.pt`, or `narm-clicks@champion`.
        checkpoint: its file.
        model: what is in that, with the weights of its best epoch.
        items: the items of the data that it knows.
        max_length: events of a prefix that it sees, those of its own configuration.
        same_data: whether it was trained on these very data.
        evaluation: metrics and targets of the study.
        valid: validation metrics, by key.
    """

    name: str
    checkpoint: Path
    model: Scorer
    items: KnownItems
    max_length: int
    same_data: bool
    evaluation: EvaluationConfig
    valid: Mapping[str, float]

    @classmethod
    def load(cls, checkpoint: Path, name: str, splits: Splits, evaluation: EvaluationConfig) -> Incumbent:
        """Load a model, and judge it on validation.

        Args:
            checkpoint: a file that `experiments.train` or a search wrote.
            name: what to call it.
            splits: the data of the study.
            evaluation: metrics, and which targets.
        Raises:
            InputError: no such file, none of ours, it has learned from what is to judge it, knows no item of these
                data, or its scores are not finite.
        """
        content = read_checkpoint(checkpoint)
        if content["fingerprint"] in [fingerprint_with(splits.fingerprint, held) for held in get_args(Held)]:
            raise InputError(
                f"{checkpoint}: has learned from the validation sessions of these data, which cannot judge it: name "
                "the run that it was before its last training, in its study's folder finalists/"
            )
        vocabulary = load_vocabulary(checkpoint)
        incumbent = cls(
            name=name,
            checkpoint=checkpoint,
            model=load_model(checkpoint, device="cpu"),
            items=KnownItems.of(splits.vocabulary, vocabulary),
            max_length=Config.from_flat(content["config"]).data.max_item_list_length,
            same_data=content["fingerprint"] == splits.fingerprint,
            evaluation=evaluation,
            valid={},
        )
        if not len(incumbent.items):
            raise InputError(
                f"{checkpoint}: knows none of the {splits.n_items - 1:,} items of {splits.name}: its first is "
                f"'{vocabulary.raw(1)}', theirs '{splits.vocabulary.raw(1)}'; a model to compare with knows their ids"
            )
        try:
            ranks = incumbent.rank(chosen_targets(splits.valid, evaluation))
        except FloatingPointError as error:
            raise InputError(f"{checkpoint}: {error}") from None
        return replace(incumbent, valid=summarize(ranks, evaluation.metrics_to_report, evaluation.cutoffs))

    @property
    def n_items(self) -> int:
        """Items of the data, without the padding."""
        return len(self.items.of_data) - 1

    def rank(self, examples: Examples) -> Ranks:
        """Rank of each target among the items of the data, [Q]; what the model does not know comes last."""
        batch_size = self.evaluation.eval_batch_size
        return self.items.rank_targets(self.model, examples, max_length=self.max_length, batch_size=batch_size)

    def kept_in(self, folder: Path) -> Incumbent:
        """The same, copied into the folder of a study: a session that goes on there needs the file again.

        Raises:
            InputError: it cannot be written.
        """
        copy = folder / INCUMBENT
        if self.checkpoint.resolve() != copy.resolve():
            try:
                with self.checkpoint.open("rb") as source, atomic_file(copy) as target:
                    shutil.copyfileobj(source, target)
            except OSError as error:
                raise InputError(f"{copy}: cannot be written: {error.strerror}") from None
        return replace(self, checkpoint=copy)


def with_incumbent(
    finals: Finals, incumbent: Incumbent, runs: Runs, test: Examples, objective: str, *, depends_on_seed: bool
) -> Finals:
    """The verdict, with the incumbent beside the finalists.

    Args:
        finals: the verdict on the finalists.
        incumbent: what a person has.
        runs: runs of the finalists.
        test: the examples whose ranks the runs have.
        objective: spelled `MRR@10`; Recall is compared at the same cutoff.
        depends_on_seed: whether another seed would give another model of a finalist.
    """
    ranks, sessions = incumbent.rank(test), test.session_of_target
    trained = [
        Trained([run for run in runs if run.finalist.number == finalist.number], depends_on_seed)
        for finalist in finals.finalists
    ]
    summary = IncumbentSummary(
        name=incumbent.name,
        valid=incumbent.valid,
        test=metrics_on_test(ranks, incumbent.evaluation),
        comparisons=[
            Comparison.of(lead_over_model(trained, ranks, metric, sessions), metric=metric, against=None)
            for metric in compared_metrics(objective)
        ],
        known_items=len(incumbent.items),
        n_items=incumbent.n_items,
        same_data=incumbent.same_data,
    )
    return replace(finals, incumbent=summary)
