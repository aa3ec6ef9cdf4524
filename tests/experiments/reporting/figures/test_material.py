"""What figures are drawn from, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.odd_studies import ODD_STUDIES
from support.small_study import study_of, summary_of

from experiments.reporting.figures import interactive, static
from experiments.reporting.figures.interactive import figures
from experiments.reporting.figures.material import Impossible, Material, draw_all
from experiments.reporting.figures.static import images


def test_a_figure_that_fails_is_left_out_and_the_others_are_drawn(study, summary):
    def broken(material: Material) -> str:
        raise KeyError("surprise")

    def impossible(material: Material) -> str:
        raise Impossible("too little")

    drawn = draw_all({"a": broken, "b": impossible, "c": lambda _: "drawn"}, Material(study, summary))
    assert drawn.made == {"c": "drawn"}
    assert drawn.left_out == {"a": "KeyError: 'surprise'", "b": "too little"}


@pytest.mark.parametrize("name", ODD_STUDIES)
@pytest.mark.parametrize("draw", [figures, images])
def test_what_a_study_has_nothing_for_is_left_out_with_a_reason(draw: Callable[..., Any], name: str) -> None:
    study = study_of(ODD_STUDIES[name])
    drawn = draw(study, summary_of(study, default=None))
    known = interactive.ARTISTS if draw is figures else static.ARTISTS
    assert set(known) <= set(drawn.made) | set(drawn.left_out)
    assert not set(drawn.made) & set(drawn.left_out)
    for reason in drawn.left_out.values():
        assert "Error" not in reason, reason  # each was foreseen
