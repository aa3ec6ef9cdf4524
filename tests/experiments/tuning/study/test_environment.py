"""What a study records about its surroundings."""

import getpass
import subprocess
from pathlib import Path

import pytest

from experiments.tuning.study.environment import PACKAGES, command_line, git_commit, user_name, versions
from experiments.tuning.worker.addresses import mask_credentials


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("first\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("http://me:pass@host:5000/x", "http://***@host:5000/x"),
        ("postgresql+psycopg://me:p@ss@host/db", "postgresql+psycopg://***@host/db"),
        ("cannot reach https://token@host now", "cannot reach https://***@host now"),
        ("http://host/db?password=pass&ssl=1", "http://host/db?password=***&ssl=1"),
        ("sqlite:////home/me/mlflow.db", "sqlite:////home/me/mlflow.db"),
    ],
)
def test_credentials_in_addresses_are_masked(text: str, masked: str) -> None:
    assert mask_credentials(text) == masked


def test_the_command_can_be_pasted_and_has_no_password() -> None:
    arguments = ["/usr/bin/python", "-m", "experiments.search", "--dataset", "my log.csv"]
    arguments += ["--tracking-uri", "http://me:pass@host"]
    assert command_line(arguments) == (
        "python -m experiments.search --dataset 'my log.csv' --tracking-uri 'http://***@host'"
    )


def test_the_commit_is_the_full_hash_of_the_checkout(checkout: Path) -> None:
    commit = git_commit(checkout / "code.py")
    assert commit is not None
    assert len(commit) == 40


def test_a_changed_checkout_is_dirty(checkout: Path) -> None:
    (checkout / "code.py").write_text("second\n")
    assert (git_commit(checkout / "code.py") or "").endswith("-dirty")


def test_a_hook_of_another_repository_does_not_lend_its_own(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = git_commit(checkout / "code.py")
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet")
    git_commit.cache_clear()
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert git_commit(checkout / "code.py") == own is not None


def test_code_that_git_does_not_track_has_no_commit(checkout: Path) -> None:
    (checkout / "installed.py").write_text("\n")
    assert git_commit(checkout / "installed.py") is None


def test_no_checkout_has_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path / "code.py") is None


def test_a_system_without_names_has_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    assert user_name() == getpass.getuser()
    monkeypatch.setattr(getpass, "getuser", nobody)
    assert user_name() is None


def test_versions_name_every_package_even_one_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.tuning.study.environment.PACKAGES", (*PACKAGES, "no-such-package"))
    found = versions()
    assert found["no-such-package"] is None
    assert found["torch"]
    assert found["python"]
