"""The table of models agrees with the models and the options."""

from pkgutil import resolve_name

import pytest

from narm.baselines.baseline import Baseline
from narm.config import OPTIONS, SECTIONS
from narm.models import MODELS


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_names_a_class_sections_and_options_that_there_are(name):
    entry = MODELS[name]
    assert issubclass(resolve_name(entry.model_class), Baseline) == entry.learned_at_once
    assert {*entry.sections, *filter(None, [entry.takes])} <= {*SECTIONS}
    assert {*entry.options, *entry.unused, *entry.implied} <= {*OPTIONS}
    assert {OPTIONS[option].section for option in entry.unused} <= {*entry.sections}
