"""Flags that commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.cli.flags import add_options, given_options, study_place
from experiments.cli.parser import Parser
from narm.config import OPTIONS
from narm.errors import InputError


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="test")
    parser.add_argument("--epochs")
    add_options(parser, skip=("epochs",))
    return parser


def test_only_what_was_given_is_returned(parser):
    assert given_options(parser.parse_args([])) == {}
    assert given_options(parser.parse_args(["--epochs", "3"])) == {"epochs": "3"}


def test_the_list_of_options_is_complete_and_says_why(parser, capsys):
    with pytest.raises(SystemExit) as leave:
        parser.parse_args(["--help-options"])
    assert leave.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"--{name}\n" in printed for name in OPTIONS if name != "epochs")
    assert "(default: 0.001; RecBole's)" in printed


def test_only_the_sections_asked_for_get_flags():
    parser = Parser(prog="test")
    add_options(parser, "model")
    assert given_options(parser.parse_args(["--n_layers", "2"])) == {"n_layers": "2"}
    with pytest.raises(InputError):
        parser.parse_args(["--learning_rate", "1"])


@pytest.mark.parametrize(
    ("study", "place"),
    [
        ("my-study", ("my-study", Path("runs"))),
        ("elsewhere/my-study", ("my-study", Path("elsewhere"))),
        ("elsewhere/my-study/", ("my-study", Path("elsewhere"))),  # as tab completion gives it
        ("my-study/", ("my-study", Path())),
        ("/data/runs/my-study", ("my-study", Path("/data/runs"))),
    ],
)
def test_a_study_may_be_named_by_its_folder(study, place):
    assert study_place(study, "runs") == place


def test_a_study_may_be_the_folder_that_one_is_in(tmp_path, monkeypatch):
    (tmp_path / "my-study" / "figures").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my-study")
    assert study_place(".", "runs") == ("my-study", tmp_path)
    monkeypatch.chdir("figures")
    assert study_place("..", "runs") == ("my-study", tmp_path)
