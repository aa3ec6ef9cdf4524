"""`python -m experiments.recommend`: sessions in, answers out, mistakes in one line."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.cli.run_recommendation import parse_session
from experiments.cli.running import run_command
from experiments.recommend import main
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.errors import InputError
from narm.recommending import Recommender
from narm.training import create_model, fit

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SESSIONS = [[105, 106, 107], [101], [110, 119, 101, 102]]


@pytest.fixture
def checkpoint(ring_splits, tmp_path) -> str:
    config = Config.from_flat(embedding_size=4, hidden_size=4, epochs=1)
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    return str(tmp_path / "run.pt")


def test_sessions_on_the_command_line(checkpoint, capsys):
    assert main([checkpoint, "--session", "105,106,107", "--session", "101", "-k", "3"]) == 0
    expected = Recommender.load(checkpoint).recommend(SESSIONS[:2], k=3)
    assert capsys.readouterr().out.splitlines() == [" ".join(map(str, found.items)) for found in expected]


def test_a_file_of_lines_and_json_lists(checkpoint, capsys, tmp_path):
    (tmp_path / "in.txt").write_text('105, 106 107\n\n[101]\n["110", 119, 101, 102]\n')
    assert main([checkpoint, "--input", str(tmp_path / "in.txt"), "--format", "json", "--exclude-seen"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    expected = Recommender.load(checkpoint).recommend([SESSIONS[0], [], *SESSIONS[1:]], exclude_seen=True)
    assert [answer["items"] for answer in answers] == [list(found.items) for found in expected]
    assert answers[0]["scores"] == pytest.approx(expected[0].scores)
    assert (answers[1]["items"], answers[1]["reason"]) == ([], "the session is empty")
    assert answers[2]["reason"] is None


def test_a_log_is_not_taken_for_sessions(checkpoint, capsys, tmp_path):
    (tmp_path / "log.csv").write_text("SessionId,ItemId,Time\n101,105,110\n")
    assert run_command(main, [checkpoint, "--input", str(tmp_path / "log.csv")]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith(f"error: {tmp_path}/log.csv:1: 'SessionId' is the name of a column, not an item: ")


def test_standard_input_and_csv(checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("105 106 107\n101\n"))
    assert main([checkpoint, "-k", "2", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["session"], row["rank"]) for row in rows] == [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")]
    best = Recommender.load(checkpoint).recommend(SESSIONS[:1], k=1)[0]
    assert rows[0]["item"] == str(best.items[0])
    assert float(rows[0]["score"]) == pytest.approx(best.scores[0])


def test_no_session_at_all_is_said(checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main([checkpoint]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "note: <stdin>: no session in it; write one a line, as in 17,4\n")


def test_unknown_items_are_reported_and_no_failure(checkpoint, capsys):
    assert main([checkpoint, "--session", "7,105,x", "--session", "7", "-k", "1"]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert said.out.splitlines()[1] == ""
    assert said.err.splitlines() == [
        "note: --session:1: unknown items: 7, x",
        "note: --session:2: unknown items: 7",
        "note: --session:2: nothing recommended: no item of the session is known",
    ]
    main([checkpoint, "--session", "7,105", "--format", "json"])
    said = capsys.readouterr()
    assert (json.loads(said.out)["unknown"], said.err) == (["7"], "")


def test_a_model_that_knows_of_nothing_else_says_so(ring_splits, tmp_path, capsys):
    config = Config.from_flat(model="sr")
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "sr.pt", epoch.state, config=config, splits=ring_splits)
    everything = ",".join(str(item) for item in range(101, 120))
    assert main([str(tmp_path / "sr.pt"), "--session", everything, "--exclude-seen"]) == 0
    said = capsys.readouterr()
    assert said.out == "\n"
    reason = "every item that train has for it is in the session"
    assert said.err == f"note: --session:1: nothing recommended: {reason}\n"


@pytest.mark.parametrize(
    ("line", "ids"),
    [
        ("1,2,3\n", ["1", "2", "3"]),
        (" 1  2,\t3, \n", ["1", "2", "3"]),
        ('["red shoes", 17]', ["red shoes", 17]),
        ("\n", []),
        ("[]", []),
    ],
)
def test_a_line_is_a_session(line, ids):
    assert parse_session(line) == ids


@pytest.mark.parametrize("line", ["[1, 2", "[1.5]", "[true]", "[null]", "[[1]]", '{"items": [1]}', "[" * 100_000])
def test_other_json_is_refused(line):
    with pytest.raises(InputError):
        parse_session(line)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.pt", "--session", "1"], "none.pt: no such checkpoint"),
        (["{checkpoint}", "--session", "1", "-k", "0"], "-k: 0: input should be at least 1"),
        (["{checkpoint}", "--session", "1", "--input", "x"], "--session and --input: give one of them"),
        (["{checkpoint}", "--input", "none.txt"], "cannot read none.txt"),
        (["{checkpoint}", "--input", "{broken}"], "broken.txt:2: not JSON"),
        (["{checkpoint}", "--session", "1", "--format", "xml"], "'xml'"),
        (["{checkpoint}", "--sesion", "1"], "did you mean '--session'?"),
        (["{checkpoint}", "--session", "1", "--device", "tpu"], "'tpu' is none of auto, cpu, cuda"),
        ([], "CHECKPOINT"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(checkpoint, arguments, message, tmp_path, capsys):
    (tmp_path / "broken.txt").write_text("101\n[102\n")
    places = {"checkpoint": checkpoint, "broken": tmp_path / "broken.txt"}
    assert run_command(main, [argument.format(**places) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1


def test_a_reader_that_has_seen_enough_is_no_failure(checkpoint):
    command = f"yes 101 | head -n 5000 | {sys.executable} -m experiments.recommend {checkpoint} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} > /dev/null"], cwd=ROOT, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def test_a_json_session_may_have_whole_numbers_with_a_point():
    assert parse_session("[17.0, 4]") == [17.0, 4]
    with pytest.raises(InputError, match="a session in JSON is a list of texts and integers"):
        parse_session("[17.5]")
