"""The table: what it says of made-up runs."""

from __future__ import annotations

import json
import math

from benchmarks.knobs.candidates import BASE, Candidate, values
from benchmarks.knobs.data_sets import DataSet
from benchmarks.knobs.evidence import Difference
from benchmarks.knobs.protocol import FIRST_SEED, Run, runs_needed
from benchmarks.knobs.report import Cell, cells, verdict

DATA = DataSet(name="data", base={"learning_rate": 0.01, "valid_metric": "MRR@10", "temperature": 0.1})
GOOD = Candidate(name="good", source="", what="", variants=values("good", 1, 2))
SAME = Candidate(name="same", source="", what="", variants=values("temperature", 0.1, 0.2))
FAILS = Candidate(name="fails", source="", what="", variants=values("fails", True, temperature=None))
ELSEWHERE = Candidate(name="elsewhere", source="", what="", not_on=("data",))
CANDIDATES = (GOOD, SAME, FAILS, ELSEWHERE)


def value(run: Run) -> float:
    """Around 0.2 for the base, a tenth more for what is good; a quarter of a percent up and down by seed."""
    options = json.loads(run.options)
    if "fails" in options:
        return math.nan
    off = abs(math.log2(options["learning_rate"] / 0.01)) + (options.get("temperature", 0.1) != 0.1)
    return 0.2 * (1.1 if options.get("good") == 2 else 1) * (1 - off / 10) + 0.0005 * (-1) ** run.seed


def trained(most: int = 10_000) -> dict[Run, float]:
    known: dict[Run, float] = {}
    while len(known) < most and (run := next(runs_needed([DATA], CANDIDATES, known, 2), None)) is not None:
        known[run] = value(run)
    return known


def test_a_candidate_has_its_difference_its_interval_and_what_was_chosen() -> None:
    found = cells(DATA, CANDIDATES, trained(), 2)
    assert found["base"].text == "0.2000 (learning_rate=0.01)"
    difference = found["good"].difference
    assert difference is not None
    assert round(difference.percent, 6) == 10
    assert found["good"].text == f"+10.0 [{difference.low:+.1f}, {difference.high:+.1f}] (learning_rate=0.01 good=2)"
    assert difference.gains


def test_all_seeds_of_the_base_count() -> None:
    known = trained()
    (last,) = [run for run in known if run.seed == 2024]
    assert cells(DATA, CANDIDATES, {**known, last: known[last] + 0.04}, 2)["base"].text.startswith("0.2100 ")


def test_candidates_that_are_no_gain_say_why() -> None:
    found = cells(DATA, CANDIDATES, trained(), 2)
    assert found["same"].text == "the base's own (learning_rate=0.01)"
    assert found["fails"].text == "failed"
    assert found["elsewhere"].text == "–"


def test_before_other_seeds_are_there_one_seed_is_said_to_be_one() -> None:
    searched = {run: worth for run, worth in trained().items() if run.seed == FIRST_SEED}
    found = cells(DATA, CANDIDATES, searched, 2)
    assert found["good"] == Cell("+10.0, *one seed* (learning_rate=0.01 good=2)")
    assert found["base"].text.startswith("0.2005 ")


def test_before_anything_is_trained_the_table_is_empty() -> None:
    assert {*cells(DATA, CANDIDATES, {}, 2).values()} == {Cell("")}
    assert cells(DATA, CANDIDATES, trained(8), 2)["fails"] == Cell("")


def test_a_seed_that_failed_is_said_and_not_averaged() -> None:
    known = trained()
    (failed, *_) = [run for run in known if run.seed == 2022 and "good" in run.options]
    found = cells(DATA, CANDIDATES, {**known, failed: math.nan}, 2)["good"]
    assert found.text.endswith("(learning_rate=0.01 good=2) (1 of 2 failed)")
    assert found.difference is not None


def test_what_a_candidate_takes_out_of_the_base_is_named() -> None:
    without = Candidate(name="without", source="", what="", variants=values("temperature", None))
    known: dict[Run, float] = {}
    while (run := next(runs_needed([DATA], [without], known, 2), None)) is not None:
        known[run] = value(run)
    assert cells(DATA, [without], known, 2)["without"].text.endswith("(learning_rate=0.01 temperature=None)")


def test_a_gain_on_one_data_set_is_none_if_another_pays_for_it() -> None:
    gain, harm, noise = (
        Cell("", Difference(percent=center, low=center - 1, high=center + 1)) for center in (2.0, -2.0, 0.5)
    )
    assert verdict({"a": gain, "b": noise, "c": Cell("–")}) == "gains"
    assert verdict({"a": harm, "b": noise}) == "harms"
    assert verdict({"a": gain, "b": harm}) == "mixed"
    assert verdict({"a": noise}) == "noise"
    assert verdict({"a": Cell("")}) == ""
    assert BASE.name not in {candidate.name for candidate in CANDIDATES}
