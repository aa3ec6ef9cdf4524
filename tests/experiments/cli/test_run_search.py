"""What a search says before it begins."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from support.study_spec import make_spec

from experiments.cli import run_search
from narm.machine.capacity import Cores


@pytest.mark.parametrize(
    ("available", "address", "said"),
    [
        (Cores(1, 64, "CPU quota"), None, "1 at once, on 1 of 64 cores (CPU quota). Study s."),
        (Cores(64, 64), None, "1 at once. Study s."),
        (Cores(1, 64, "CPU quota"), "10.0.0.1:6379", "1 at once. Study s."),
    ],
)
def test_what_bounds_the_cores_is_said_unless_it_is_the_machine(tmp_path, monkeypatch, available, address, said):
    monkeypatch.setattr(run_search, "cores", lambda: available)
    out = io.StringIO()
    run_search._announce(make_spec(tmp_path, address=address), Console(file=out, width=300))
    assert out.getvalue().splitlines()[0].endswith(said)
