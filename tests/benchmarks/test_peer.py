"""RecBole's environment, with a stand-in for it: this Python, under a folder marked complete."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import peer
from narm.errors import InputError


@pytest.fixture
def complete_venv(tmp_path: Path) -> Path:
    venv = tmp_path / "peer"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / peer.STAMP).write_text("\n".join(peer.REQUIREMENTS), encoding="utf-8")
    return venv


def test_a_complete_environment_is_not_built_again(complete_venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer.subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be built"))
    assert peer.peer_python(complete_venv) == complete_venv / "bin" / "python"


def test_an_environment_of_other_requirements_is_built_again(
    complete_venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []
    monkeypatch.setattr(peer, "base_python", lambda: "python3.11")
    monkeypatch.setattr(peer.subprocess, "run", lambda command, **_: commands.append(command))
    (complete_venv / "pyvenv.cfg").touch()
    (complete_venv / peer.STAMP).write_text("recbole==1.0", encoding="utf-8")
    peer.peer_python(complete_venv)
    assert commands[0] == ["python3.11", "-m", "venv", "--clear", complete_venv]
    assert set(peer.REQUIREMENTS) <= set(commands[1])
    assert (complete_venv / peer.STAMP).read_text(encoding="utf-8") == "\n".join(peer.REQUIREMENTS)


def test_an_interrupted_build_leaves_no_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(peer, "base_python", lambda: "python3.11")
    monkeypatch.setattr(peer.subprocess, "run", fail)
    with pytest.raises(KeyboardInterrupt):
        peer.peer_python(tmp_path / "new")
    assert not (tmp_path / "new" / peer.STAMP).exists()


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer.subprocess, "run", lambda *_, **__: pytest.fail("it would be emptied"))
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="not a virtual environment"):
        peer.peer_python(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_without_the_right_python_the_error_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peer, "PYTHON_VERSION", (3, 99))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"needs python3\.99"):
        peer.base_python()


def test_a_module_runs_in_the_environment_and_its_output_comes_back(complete_venv: Path) -> None:
    assert peer.run("calendar", "2017", "11", venv=complete_venv).strip().startswith("November 2017")


def test_a_failure_shows_the_end_of_the_standard_error(complete_venv: Path) -> None:
    with pytest.raises(RuntimeError, match="No module named no_such_module"):
        peer.run("no_such_module", venv=complete_venv)


def test_step_times_are_asked_for_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    answer = {
        "dataset": "ml-100k",
        "step_seconds": [2.0, 1.0],
        "step_targets": [2048, 2048],
        "n_targets": 97171,
        "batch_size": 2048,
        "n_items": 1683,
        "n_threads": 2,
        "peak_rss_mib": 900.0,
        "seconds_per_step": 1.0,
    }

    def answered(module: str, *arguments: str, venv: Path) -> str:
        calls.append((module, *arguments))
        return json.dumps(answer)

    monkeypatch.setattr(peer, "run", answered)
    timing = peer.recbole_step_seconds("ml-100k", loss_type="BPR", n_layers=2, max_steps=2)
    assert timing.seconds_per_step == 1.0
    assert timing.step_targets == (2048, 2048)
    assert {"--dataset=ml-100k", "--loss-type=BPR", "--n-layers=2", "--max-steps=2"} <= set(calls[0])
    assert not any(argument.startswith("--max-sessions") for argument in calls[0])
