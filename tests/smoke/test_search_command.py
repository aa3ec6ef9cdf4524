"""The search as a person calls it, in an empty folder."""

from __future__ import annotations

import json
import re

from experiments import search
from experiments.cli.running import run_command


def test_the_smoke_preset_finds_a_winner_and_says_so_to_a_program(searched):
    assert searched.status == 0, searched.stderr
    assert "is better than the default configuration on test" in searched.stderr
    assert "mlflow ui --backend-store-uri" in searched.stderr
    assert re.fullmatch(r"synthetic-smoke-\d{8}-\d{6}-[0-9a-f]{6}", searched.name)
    assert searched.stdout == (searched.folder / "summary.json").read_text()  # and nothing else
    assert json.loads(searched.stdout)["counts"]["failed"] == 0
    assert "Traceback" not in searched.stderr
    assert "\x1b[" not in searched.stderr


def test_a_mistake_is_one_line(capsys):
    assert run_command(search.main, ["--sampler", "tpee"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: sampler: there is no 'tpee'; did you mean 'tpe'?\n"
