"""Parallel coordinates."""

from __future__ import annotations

from support.odd_studies import ODD_STUDIES
from support.small_study import study_of

from experiments.reporting.figures import interactive
from experiments.reporting.figures.coordinates import coordinates
from experiments.reporting.figures.trial_views import judged


def test_parallel_coordinates_leave_out_a_default_outside_the_space(study):
    found = coordinates(judged(study), ["learning_rate", "hidden_size"], "Recall@10")
    assert 0 not in found.numbers
    assert [axis.name for axis in found.axes] == ["Recall@10", "learning_rate", "hidden_size"]
    values = [judged(study).trials[number].value for number in found.numbers]
    assert values == sorted(values)  # the best on top
    assert (found.ranks[0], found.ranks[-1]) == (0, 1)
    assert list(found.axes[2].ticks) == [(0.0, "16"), (1.0, "32")]
    for axis in found.axes:
        assert all(place is not None and 0 <= place <= 1 for place in axis.places)
        assert all(0 <= place <= 1 for place, _ in axis.ticks)


def test_a_parameter_that_a_trial_lacks_is_a_gap_in_its_line():
    study = study_of(ODD_STUDIES["parameters that never meet"])
    found = coordinates(judged(study), ["learning_rate", "hidden_size"], "Recall@10")
    rates = dict(zip(found.numbers, found.axes[1].places, strict=True))
    assert [number for number, place in rates.items() if place is None] == [0, 2, 4, 6]


def test_the_bluer_the_better(drawn):
    lines = drawn.made["parallel_coordinate"].data
    assert (lines[0].line.color, lines[-1].line.color) == (interactive.GREY, interactive.ACCENT)
