"""The candidates: what practice knows of training such models, one entry each, the most promising first.

A candidate is what it changes in the base of a data set. `None` takes an option out of the base, so that narm's default
holds. Where there are several variants, the best of them by the first seed stands for the candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.knobs.data_sets import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change to the base, and why it should help.

    Attributes:
        name: in the table, and for `--candidates`.
        source: where it comes from.
        what: what it does, a sentence without its full stop.
        variants: options that it changes, one mapping for each variant.
        learning_rate: where the search for its own begins; None: at the base's best.
        not_on: names of the data sets for which it makes no sense.
    """

    name: str
    source: str
    what: str
    variants: Sequence[Options] = ({},)
    learning_rate: float | None = None
    not_on: tuple[str, ...] = ()


def values(option: str, *of_variants: object, **others: object) -> list[Options]:
    """A variant for each value of one option, the others alike."""
    return [{option: value, **others} for value in of_variants]


BASE = Candidate(name="base", source="", what="the configuration that candidates change")

CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            name="dot",
            source="Li et al., CIKM 2017",
            what="a dot product scores the items, not a cosine",
            variants=[{"scoring": "dot", "temperature": None}],
        ),
        Candidate(
            name="temperature",
            source="Gupta et al. (NISER), arXiv 1909.04276; Hou et al. (CORE), SIGIR 2022",
            what="what the cosine is divided by",
            variants=values("temperature", 0.05, 0.07, 0.1, 0.14),
        ),
        Candidate(
            name="averaging",
            source="Polyak & Juditsky, SIAM J. Control 1992; Izmailov et al., UAI 2018",
            what="an exponential average of the weights is evaluated and shipped",
            variants=values("averaging_passes", 0.3, 1.0, 3.0),
        ),
        Candidate(
            name="learned_temperature",
            source="Radford et al. (CLIP), ICML 2021",
            what="the temperature is learned, from the base's on",
            variants=values("learn_temperature", True),
        ),
        Candidate(
            name="label_smoothing",
            source="Szegedy et al., CVPR 2016",
            what="a share of each target is spread evenly over the items",
            variants=values("label_smoothing", 0.05, 0.1, 0.2),
        ),
        Candidate(
            name="event_dropout",
            source="Tan et al., DLRS 2016",
            what="whole events are dropped, beside single values",
            variants=values("event_dropout", 0.1, 0.2, 0.3),
        ),
        Candidate(
            name="constant",
            source="RecBole's default",
            what="the learning rate stays what it is",
            variants=values("learning_rate_decay", None),
        ),
        Candidate(
            name="decay",
            source="as NARM's authors halve it when validation falls",
            what="the learning rate shrinks by a factor after each pass",
            variants=values("learning_rate_decay", 0.7, 0.85),
        ),
        Candidate(
            name="linear",
            source="Li, Yumer & Ramanan, ICLR 2020",
            what="the learning rate falls to zero over the epochs, in a straight line",
            variants=values("learning_rate_schedule", "linear", learning_rate_decay=None),
        ),
        Candidate(
            name="cosine_schedule",
            source="Loshchilov & Hutter (SGDR), ICLR 2017",
            what="the learning rate falls to zero over the epochs, as half a cosine",
            variants=values("learning_rate_schedule", "cosine", learning_rate_decay=None),
        ),
        Candidate(
            name="warm_up",
            source="Goyal et al., arXiv 1706.02677; Ma & Yarats, AAAI 2021",
            what="the learning rate grows from zero at first",
            variants=values("warmup_passes", 0.3, 1.0),
        ),
        Candidate(
            name="adamw",
            source="Loshchilov & Hutter, ICLR 2019",
            what="AdamW, whose weight decay is no part of the gradient",
            variants=values("weight_decay", 0.01, 0.1, 1.0, optimizer="adamw"),
        ),
        Candidate(
            name="adagrad",
            source="Duchi et al., JMLR 2011; GRU4Rec's own (Hidasi & Karatzoglou, CIKM 2018)",
            what="Adagrad, at rates of its own",
            variants=values("optimizer", "adagrad"),
            learning_rate=0.1,
        ),
        Candidate(
            name="l2",
            source="session-rec's tuning (Ludewig et al., UMUAI 2021)",
            what="an L2 penalty in Adam's gradient",
            variants=values("weight_decay", 1e-6, 1e-5, 1e-4),
        ),
        Candidate(
            name="separate_output",
            source="GRU4Rec; the contrary of Inan et al. and Press & Wolf, both 2017",
            what="items have one embedding as events and another to be scored",
            variants=values("separate_output", True),
        ),
        Candidate(
            name="bpr_max",
            source="Hidasi & Karatzoglou, CIKM 2018",
            what="BPR against the negatives' softmax, with a penalty on their scores",
            variants=values("bpr_max", 0.0, 0.01, 1.0, loss_type=None),
        ),
        Candidate(
            name="newest",
            source="Tan et al., DLRS 2016; Yoochoose 1/64 and 1/4",
            what="training on the most recent share of the targets only",
            variants=values("newest_share", 0.5, 0.75),
            not_on=("ml-100k",),  # leave-one-out: validation is as old as training
        ),
        Candidate(
            name="initial_scale",
            source="He et al., ICCV 2015; GRU4Rec's init_sigma",
            what="a factor on the initial item embeddings",
            variants=values("initial_scale", 0.3, 3.0, 10.0),
        ),
        Candidate(
            name="unit_events",
            source="Gupta et al. (NISER), arXiv 1909.04276",
            what="the embeddings that the GRU reads are normalised, too",
            variants=values("unit_events", True),
        ),
        Candidate(
            name="length",
            source="RecBole's MAX_ITEM_LIST_LENGTH",
            what="how many events of a prefix the model sees (base: 50)",
            variants=values("max_item_list_length", 10, 20, 100),
        ),
        Candidate(
            name="softmax_attention",
            source="the code of NARM's authors",
            what="attention weights sum to 1",
            variants=values("attention", "softmax"),
        ),
        Candidate(
            name="gru_bias",
            source="Cho et al., EMNLP 2014",
            what="the GRU has biases",
            variants=values("gru_bias", True),
        ),
        Candidate(
            name="two_layers",
            source="Hidasi et al., ICLR 2016",
            what="a second GRU layer",
            variants=values("n_layers", 2),
        ),
        Candidate(
            name="clipping",
            source="Pascanu et al., ICML 2013",
            what="a largest norm of the gradient, or none",
            variants=values("clip_grad_norm", None, 1.0, 5.0),
        ),
        Candidate(
            name="sampled_softmax",
            source="Jean et al., ACL 2015; Yi et al., RecSys 2019",
            what="shared negatives, so many and by such a power of their count",
            variants=[
                {"loss_type": "sampled_softmax", "softmax_samples": samples, "softmax_alpha": alpha}
                for samples, alpha in ((1024, 0.75), (4096, 0.5), (4096, 1.0))
            ],
        ),
        Candidate(
            name="bpr",
            source="Rendle et al., UAI 2009; dynamic negatives: Zhang et al., SIGIR 2013",
            what="pairs of a target and a negative",
            variants=[
                {"loss_type": "BPR", "softmax_samples": None},
                {
                    "loss_type": "BPR",
                    "softmax_samples": None,
                    "train_neg_sample_args": {"dynamic": True, "candidate_num": 16},
                },
            ],
        ),
    )
}
"""By name, in the order in which they are measured."""
