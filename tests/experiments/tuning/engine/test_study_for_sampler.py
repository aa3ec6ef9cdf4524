"""What a sampler sees of the trials of a search."""

from __future__ import annotations

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from experiments.tuning.engine.study_for_sampler import study_for_sampler, trial_to_draw
from search_spaces.space import SearchSpace, load_space, parse_space

STATES = TrialState
MAXIMIZE = [StudyDirection.MAXIMIZE]


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return load_space("recbole")


def trials_in(space: SearchSpace, trials: list[tuple[TrialState, dict[int, float]]]) -> list[FrozenTrial]:
    """Trials of the first configurations of a space, from their states, and their values by epoch."""
    study = optuna.create_study(direction="maximize")
    for params, (state, values) in zip(space.grid(), trials, strict=False):
        study.add_trial(
            create_trial(
                state=state,
                params=params,
                distributions=dict(space.distributions),
                intermediate_values=values,
                value=max(values.values()) if state is STATES.COMPLETE else None,
                system_attrs={"note": len(values)},
                user_attrs={"progress": "long"},
            )
        )
    return study.trials


def test_a_paused_trial_is_shown_as_pruned_and_what_is_in_training_as_running(space):
    trials = trials_in(
        space,
        [
            (STATES.COMPLETE, {1: 0.5}),
            (STATES.RUNNING, {1: 0.1}),  # paused
            (STATES.RUNNING, {1: 0.1}),
            (STATES.WAITING, {1: 0.1}),  # of a search that was interrupted
            (STATES.WAITING, {}),
            (STATES.FAIL, {1: 0.1}),
        ],
    )
    shown = study_for_sampler(trials, space, directions=MAXIMIZE, paused={1}).trials
    assert [trial.state.name for trial in shown] == [
        "COMPLETE",
        "PRUNED",
        "RUNNING",
        "PRUNED",
        "WAITING",
        "FAIL",
        "RUNNING",
    ]
    assert [trial.params for trial in shown[:-1]] == [trial.params for trial in trials]
    assert [trial.distributions for trial in shown[:-1]] == [trial.distributions for trial in trials]
    assert [trial.intermediate_values for trial in shown[:-1]] == [trial.intermediate_values for trial in trials]


def test_the_trial_to_draw_is_the_last_without_parameters_or_notes(space):
    shown = study_for_sampler(trials_in(space, [(STATES.COMPLETE, {1: 0.5})]), space, directions=MAXIMIZE)
    drawn = trial_to_draw(shown)
    assert (drawn.number, drawn.state, drawn.params, drawn.system_attrs) == (1, STATES.RUNNING, {}, {})


def test_a_trial_outside_the_space_keeps_its_number_and_nothing_else(space):
    outside = create_trial(value=1.0, user_attrs={"default": True})
    [inside] = trials_in(space, [(STATES.COMPLETE, {1: 0.5})])
    shown = study_for_sampler([outside, inside], space, directions=MAXIMIZE).trials
    assert (shown[0].state, shown[0].params, shown[0].values) == (STATES.FAIL, {}, None)
    assert (shown[1].number, shown[1].params) == (1, inside.params)


def test_what_does_not_apply_to_a_trial_is_filled_in_at_random_when_asked_for():
    space = parse_space(
        "head",
        "head.yaml",
        "scoring: [dot, cosine]\ntemperature: {low: 0.05, high: 1.0, log: true, when: {scoring: cosine}}",
    )
    without, given = {"scoring": "dot"}, {"scoring": "cosine", "temperature": 0.2}
    trials = [
        create_trial(value=0.1, params=params, distributions={name: space.distributions[name] for name in params})
        for params in (without, given, without)
    ]
    assert [t.params for t in study_for_sampler(trials, space, directions=MAXIMIZE).trials[:2]] == [without, given]
    first, second, third, _ = study_for_sampler(trials, space, directions=MAXIMIZE, filled=True).trials
    assert (first.params["scoring"], second.params, third.params["scoring"]) == ("dot", given, "dot")
    assert 0.05 < first.params["temperature"] != third.params["temperature"] < 1
    assert study_for_sampler(trials, space, directions=MAXIMIZE, filled=True).trials[0].params == first.params


def test_a_sampler_reads_its_notes_again(space):
    [trial] = trials_in(space, [(STATES.COMPLETE, {1: 0.5, 2: 0.6})])
    assert study_for_sampler([trial], space, directions=MAXIMIZE).trials[0].system_attrs == {"note": 2}


def test_several_objectives_are_shown_as_they_are(space):
    [trial] = trials_in(space, [(STATES.RUNNING, {1: 0.5})])
    both = create_trial(values=[0.5, 100.0], params=trial.params, distributions=trial.distributions)
    directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
    shown = study_for_sampler([both], space, directions=directions, finished_only=True)
    assert shown.directions == directions
    assert shown.trials[0].values == [0.5, 100.0]


def test_all_trials_are_shown_as_finished_at_the_epoch_where_the_first_was_paused(space):
    trials = trials_in(
        space,
        [
            (STATES.COMPLETE, {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.9}),
            (STATES.RUNNING, {1: 0.1, 2: 0.4}),  # paused
            (STATES.RUNNING, {1: 0.1, 2: 0.3, 3: 0.8}),  # promoted
            (STATES.RUNNING, {1: 0.7}),  # in training
            (STATES.PRUNED, {1: 0.1, 2: 0.1, 3: 0.1}),
            (STATES.FAIL, {1: 0.1, 2: 0.5, 3: 0.5}),
            (STATES.COMPLETE, {1: 0.6}),  # stopped early
            (STATES.PRUNED, {3: 0.5, 4: 0.5}),  # began from another's weights
        ],
    )
    shown = study_for_sampler(trials, space, directions=MAXIMIZE, paused={1}, finished_only=True).trials[:-1]
    finished = {trial.number: trial.value for trial in shown if trial.state is STATES.COMPLETE}
    assert finished == {0: 0.2, 1: 0.4, 2: 0.3, 4: 0.1, 6: 0.6}
    others = {trial.number: (trial.state, bool(trial.params)) for trial in shown if trial.number not in finished}
    assert others == {3: (STATES.RUNNING, True), 5: (STATES.FAIL, True), 7: (STATES.FAIL, False)}


def test_without_a_pause_a_sampler_that_learns_from_finished_trials_sees_all_as_they_are(space):
    trials = trials_in(space, [(STATES.COMPLETE, {1: 0.1, 2: 0.5}), (STATES.RUNNING, {1: 0.1})])
    shown = study_for_sampler(trials, space, directions=MAXIMIZE, finished_only=True).trials[:-1]
    assert [(trial.state, trial.value) for trial in shown] == [(STATES.COMPLETE, 0.5), (STATES.RUNNING, None)]


BOUNDED = {"megabytes <= 50": -0.2, "request_ms <= 5": -0.1}


def bounded(space: SearchSpace) -> list[FrozenTrial]:
    """Two trials that keep two constraints, one that breaks both, and one of which only one is known."""
    trials = trials_in(space, [(STATES.COMPLETE, {1: 0.2}), (STATES.COMPLETE, {1: 0.4}), *[(STATES.PRUNED, {})] * 2])
    broken = {"request_ms <= 5": 0.3, "megabytes <= 50": 0.5}
    for trial, constraints in zip(trials, (BOUNDED, BOUNDED, broken, {"megabytes <= 50": 0.7}), strict=True):
        for name, value in constraints.items():
            trial.set_constraint(name, value)
    for trial in trials[2:]:
        trial.user_attrs["skipped"] = True
    return trials


def test_constraints_are_shown_in_one_order(space):
    shown = study_for_sampler(bounded(space), space, directions=MAXIMIZE).trials
    assert [list(trial.constraints) for trial in shown[:3]] == [list(BOUNDED)] * 3
    assert [trial.state.name for trial in shown[:4]] == ["COMPLETE", "COMPLETE", "PRUNED", "PRUNED"]
    assert shown[0].system_attrs["note"] == 1


def test_a_sampler_of_finished_trials_is_shown_those_that_were_skipped_at_the_mean(space):
    shown = study_for_sampler(bounded(space), space, directions=MAXIMIZE, finished_only=True).trials
    assert [(trial.state.name, trial.value) for trial in shown[2:4]] == [("COMPLETE", pytest.approx(0.3))] * 2
    assert list(shown[3].constraints.values()) == [0.7, 0.7]  # what is not known of it breaks as far
    nothing_else = study_for_sampler(bounded(space)[2:], space, directions=MAXIMIZE, finished_only=True).trials
    assert [trial.state.name for trial in nothing_else] == ["PRUNED", "PRUNED", "RUNNING"]
