"""Settings as fields of a spec."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from experiments.tuning.study.setting import Derived, setting, settings, settle


@dataclass(frozen=True, kw_only=True)
class Spec:
    trials: int = setting("--trials")
    half: int = setting("--half", default=Derived(lambda settled: settled["trials"] // 2))
    quarter: int = setting(default=Derived(lambda settled: settled["half"] // 2))
    retries: int = setting("--max-retries", "--retries", default=1)
    output: str = "runs"


def test_every_field_is_known_with_its_default():
    known = settings(Spec)
    assert list(known) == ["trials", "half", "quarter", "retries", "output"]
    assert (known["retries"].default, known["output"].default) == (1, "runs")
    assert (known["retries"].destination, known["quarter"].destination) == ("max_retries", "")


def test_defaults_are_derived_from_what_is_settled_before_them():
    assert settle({"trials": 20}, Spec) == {"trials": 20, "half": 10, "quarter": 5, "retries": 1, "output": "runs"}


def test_a_value_wins_over_the_default_also_when_it_is_none_or_derived_itself():
    thrice = Derived(lambda settled: 3 * settled["trials"])
    settled = settle({"trials": 20, "half": thrice, "retries": None}, Spec)
    assert (settled["half"], settled["quarter"], settled["retries"]) == (60, 30, None)


def test_what_has_no_value_is_left_to_the_constructor_to_miss():
    with pytest.raises(TypeError, match="trials"):
        Spec(**settle({"half": 1, "quarter": 1}, Spec))
