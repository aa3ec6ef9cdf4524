"""Presets are searches that can end."""

from __future__ import annotations

from experiments.cli.presets import PRESETS


def test_presets_are_searches_that_can_end():
    for preset in PRESETS.values():
        assert preset.trials >= 1
        assert preset.epochs >= 1
        assert preset.purpose
