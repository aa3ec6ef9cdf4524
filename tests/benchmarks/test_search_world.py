"""The simulated world trains nothing, and is otherwise as the real one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.replay.table import CurveTable
from benchmarks.replay.world import Job, Report, replay


@dataclass
class Script:
    """Asks for the given jobs one after the other, pauses every trial after two epochs, and remembers."""

    table: CurveTable
    jobs: list[tuple[int, int]]
    hold_up: bool = False
    told: list[tuple[int, Report]] = field(default_factory=list)

    def next(self) -> Job | None:
        if not self.jobs:
            return None
        trial, configuration = self.jobs.pop(0)
        return Job(trial=trial, params=self.table.configurations[configuration])

    def reported(self, trial: int, report: Report) -> bool:
        self.told.append((trial, report))
        return not (self.hold_up and report.epoch % 2 == 0)


def test_two_trials_train_side_by_side_and_a_third_takes_the_first_free_slot(table: CurveTable) -> None:
    script = Script(table, [(0, 0), (1, 1), (2, 2)], hold_up=True)
    steps = replay(script, table, seed=0, workers=2)
    assert [step.trial for step in steps] == [0, 1, 0, 1, 2, 2]
    assert [report.epoch for _, report in script.told] == [1, 1, 2, 2, 1, 2]


def test_one_worker_trains_one_trial_after_the_other(table: CurveTable) -> None:
    steps = replay(Script(table, [(0, 0), (1, 1)], hold_up=True), table, seed=0, workers=1)
    assert [step.trial for step in steps] == [0, 0, 1, 1]


def test_a_trial_ends_with_its_curve_and_is_told_so(table: CurveTable) -> None:
    script = Script(table, [(0, 3)])
    steps = replay(script, table, seed=0)
    values = [step.value for step in steps]
    assert any(np.array_equal(values, curve) for curve in table.curves[3])
    assert [report.final for _, report in script.told] == [False] * (len(steps) - 1) + [True]
    assert script.told[-1][1].stopped_early == (len(steps) < table.max_epochs)
    assert {step.ceiling for step in steps} == {values[-1]}


def test_a_trial_that_was_held_up_goes_on_where_it_stood(table: CurveTable) -> None:
    script = Script(table, [(0, 5), (0, 5)], hold_up=True)
    steps = replay(script, table, seed=0, workers=1)
    assert [report.epoch for _, report in script.told] == [1, 2, 3, 4]
    assert any(np.array_equal([step.value for step in steps], curve[:4]) for curve in table.curves[5])


def test_searches_with_the_same_seed_see_the_same_world_in_any_order(table: CurveTable) -> None:
    def ceilings(order: list[int], seed: int) -> dict[int, float]:
        script = Script(table, [(trial, configuration) for trial, configuration in enumerate(order)], hold_up=True)
        return {table.index(step.params): step.ceiling for step in replay(script, table, seed=seed)}

    everything = list(range(30))
    assert ceilings(everything, 1) == ceilings(everything[::-1], 1)
    assert ceilings(everything, 1) != ceilings(everything, 2)


def test_a_repetition_may_draw_another_curve(table: CurveTable) -> None:
    script = Script(table, [(trial, 0) for trial in range(20)], hold_up=True)
    assert {step.ceiling for step in replay(script, table, seed=0)} == set(table.finals[0])
