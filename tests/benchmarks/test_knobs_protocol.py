"""Which runs are trained, and in which order: values are made up here, nothing is trained."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence

import pytest

from benchmarks.knobs.candidates import BASE, CANDIDATES, Candidate, values
from benchmarks.knobs.data_sets import DataSet
from benchmarks.knobs.protocol import FIRST_SEED, MOST_RATES, Run, judges, run_of, runs_needed, search

FIRST = DataSet(name="first", base={"learning_rate": 0.01, "valid_metric": "MRR@10", "temperature": 0.1})
SECOND = DataSet(name="second", base={"learning_rate": 0.01, "valid_metric": "MRR@20"})
KNOB = Candidate(name="knob", source="", what="", variants=values("knob", 1, 2, 3))
OTHER = Candidate(name="other", source="", what="", variants=values("other", True), not_on=("second",))


def worth(best_rate: float, best_knob: int = 2) -> Callable[[Run], float]:
    """A value that falls off from the best learning rate, and from the best knob."""

    def value(run: Run) -> float:
        options = json.loads(run.options)
        off = abs(math.log2(options["learning_rate"] / best_rate)) + abs(options.get("knob", best_knob) - best_knob)
        return 1 - off / 10

    return value


def trained(
    data_sets: Sequence[DataSet], candidates: Sequence[Candidate], value: Callable[[Run], float], seeds: int = 2
) -> dict[Run, float]:
    """All runs, each the most valuable at its time."""
    known: dict[Run, float] = {}
    while (run := next(runs_needed(data_sets, candidates, known, seeds), None)) is not None:
        assert run not in known
        known[run] = value(run)
    return known


def rates(runs: Iterator[Run] | dict[Run, float]) -> list[float]:
    return sorted({json.loads(run.options)["learning_rate"] for run in runs if run.seed == FIRST_SEED})


def test_the_base_tries_both_neighbours_of_its_best_learning_rate() -> None:
    assert rates(trained([FIRST], [], worth(0.01))) == [0.005, 0.01, 0.02]
    assert rates(trained([FIRST], [], worth(0.02))) == [0.005, 0.01, 0.02, 0.04]


def test_a_search_ends_after_so_many_rates_if_the_best_is_still_the_last() -> None:
    assert rates(trained([FIRST], [], worth(1.0))) == [0.005, 0.01, 0.02, 0.04, 0.08]
    assert MOST_RATES == 5


def test_a_candidate_starts_from_the_rate_of_the_base_and_tunes_its_best_variant_only() -> None:
    known = trained([FIRST], [KNOB], worth(0.02))
    runs = [json.loads(run.options) for run in known if run.seed == FIRST_SEED and "knob" in run.options]
    assert [(options["knob"], options["learning_rate"]) for options in runs] == [
        (1, 0.02), (2, 0.02), (3, 0.02), (2, 0.01), (2, 0.04),
    ]  # fmt: skip
    assert search(KNOB, FIRST, known).chosen == run_of(FIRST, {"knob": 2}, 0.02)


def test_a_candidate_may_have_rates_of_its_own() -> None:
    own = Candidate(name="own", source="", what="", variants=values("own", True), learning_rate=0.1)
    known = trained([FIRST], [own], worth(0.1))
    assert rates({run: value for run, value in known.items() if "own" in run.options}) == [0.05, 0.1, 0.2]


def test_what_is_chosen_is_judged_by_other_seeds_and_the_base_by_twice_as_many() -> None:
    known = trained([FIRST], [KNOB], worth(0.01), seeds=3)
    seeds = {name: sorted({run.seed for run in known if ("knob" in run.options) == (name == "knob")} - {FIRST_SEED})
             for name in ("base", "knob")}  # fmt: skip
    assert seeds == {"base": [2021, 2022, 2023, 2024, 2025, 2026], "knob": [2021, 2022, 2023]}
    assert judges(None, 3) == []


def test_data_sets_come_one_after_the_other_and_every_candidate_is_searched_before_one_is_judged() -> None:
    known = list(trained([FIRST, SECOND], [KNOB, OTHER], worth(0.01)))
    assert [run.data_set for run in known] == sorted(run.data_set for run in known)
    kinds = [
        ("knob" if "knob" in run.options else "other" if "other" in run.options else "base", run.seed != FIRST_SEED)
        for run in known
        if run.data_set == "first"
    ]
    assert list(dict.fromkeys(kinds)) == [
        ("base", False), ("base", True), ("knob", False), ("other", False), ("knob", True), ("other", True),
    ]  # fmt: skip
    assert not any("other" in run.options for run in known if run.data_set == "second")


def test_while_a_base_is_searched_other_data_sets_have_something_to_train() -> None:
    needed = list(runs_needed([FIRST, SECOND], [KNOB], {}, 2))
    assert [(run.data_set, run.options) for run in needed] == [
        (data_set.name, run_of(data_set, {}, 0.01).options) for data_set in (FIRST, SECOND)
    ]


def test_a_failed_run_is_worse_than_any_other() -> None:
    def value(run: Run) -> float:
        return math.nan if json.loads(run.options).get("knob", 3) < 3 else worth(0.01)(run)

    known = trained([FIRST], [KNOB], value)
    assert search(KNOB, FIRST, known).chosen == run_of(FIRST, {"knob": 3}, 0.01)


def test_a_candidate_all_of_whose_runs_fail_is_not_judged() -> None:
    known = trained([FIRST], [OTHER], lambda run: math.nan if "other" in run.options else worth(0.01)(run))
    assert (search(OTHER, FIRST, known).chosen, search(OTHER, FIRST, known).missing) == (None, [])
    assert {run.seed for run in known if "other" in run.options} == {FIRST_SEED}


def test_none_takes_an_option_out_of_the_base() -> None:
    options = json.loads(run_of(FIRST, {"temperature": None, "knob": 1}, 0.01).options)
    assert options == {"knob": 1, "learning_rate": 0.01, "valid_metric": "MRR@10"}


@pytest.mark.parametrize("candidate", CANDIDATES.values(), ids=list(CANDIDATES))
def test_the_variants_of_a_candidate_differ(candidate: Candidate) -> None:
    runs = [run_of(FIRST, variant, 0.01) for variant in candidate.variants]
    assert len(set(runs)) == len(runs)
    assert candidate.what
    assert candidate.source
    assert not candidate.what.endswith(".")


def test_the_base_is_one_configuration() -> None:
    assert [run_of(FIRST, variant, 0.01) for variant in BASE.variants] == [run_of(FIRST, {}, 0.01)]
