"""Pythons that a search cannot run in are named."""

from __future__ import annotations

import pytest

from experiments import compare, search
from experiments.cli import interpreter
from narm.errors import InputError


@pytest.mark.parametrize("optimize", [0, 1])
def test_assertions_may_be_left_out(optimize):
    interpreter.require_docstrings(optimize)


@pytest.mark.parametrize("command", [search, compare])
def test_docstrings_may_not(command, monkeypatch):
    monkeypatch.setattr(interpreter.require_docstrings, "__defaults__", (2,))
    with pytest.raises(InputError, match="python -OO leaves docstrings out, and Ray"):
        command.main([])
