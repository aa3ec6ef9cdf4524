"""A study in a real PostgreSQL server: what it and MLflow hold after a search, and after going on with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url
from support.mlflow_store import prepared_store
from support.postgresql import PASSWORD, Unavailable, postgresql_server

from benchmarks.stores import Stores
from experiments import search
from experiments.cli.running import run_command
from experiments.tuning.study.database import open_storage
from narm.errors import InputError

# The server is the installed one, else Debian's package, from the network.
pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    try:
        with postgresql_server() as url:
            yield url
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def searched(database, one_ray, tmp_path_factory) -> tuple[Path, Stores]:
    """Two trials, and then, as the study goes on, two more."""
    output = tmp_path_factory.mktemp("searched")
    prepared_store(output / "mlflow.db", tmp_path_factory)
    stores = Stores.below(output, "s", experiment="synthetic", storage=database)
    assert run_search(output, database, "--study", "s", "--preset", "smoke", "--trials", "2") == 0
    assert stores.problems(n_trials=2) == []
    assert run_search(output, database, "--resume", "s", "--trials", "4") == 0
    return output, stores


def run_search(output: Path, database: str, *arguments: str) -> int:
    fixed = ["--storage", database, "--output", str(output), "--finalists", "0", "--quiet", "--concurrency", "1"]
    return run_command(search.main, [*fixed, *arguments])


def test_both_stores_agree_on_every_trial_and_every_epoch(searched):
    _, stores = searched
    assert stores.problems(n_trials=4) == []


def test_no_connection_outlives_the_search(searched, database):
    with psycopg.connect(database) as own:
        others = "SELECT query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        assert own.execute(others).fetchall() == []


def test_the_password_is_in_no_file_of_the_search(searched):
    output, stores = searched
    files = [file for file in output.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if PASSWORD.encode() in file.read_bytes()]
    assert PASSWORD not in repr((stores.attributes(), stores.trials()))


def test_a_study_that_is_there_is_not_begun_again(searched, database, tmp_path, capsys):
    assert run_search(tmp_path, database, "--study", "s", "--preset", "smoke") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: study: 's' exists already in postgresql://***@127.0.0.1")
    assert PASSWORD not in error


@pytest.mark.parametrize("wrong", [{"password": "another-secret"}, {"database": "nothing"}, {"port": 1}])
def test_a_server_that_does_not_let_us_in_is_told_in_one_line(database, wrong):
    url = make_url(database).set(**wrong).render_as_string(hide_password=False)
    with pytest.raises(InputError, match=r"^storage: postgresql://\*\*\*@127\.0\.0\.1:.* cannot be opened") as error:
        open_storage(url)
    assert "\n" not in str(error.value)
    assert PASSWORD not in str(error.value)
    assert "another-secret" not in str(error.value)
