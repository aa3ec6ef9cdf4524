"""The packaged model answers as the recommender does, in every form MLflow takes, and carries all it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel
from mlflow.pyfunc.scoring_server import infer_and_parse_data
from support.trained_runs import train_runs

from experiments.tracking.package import SERVING_PACKAGES, package, serving_requirements
from narm.bag_checkpoint import save_bag
from narm.checkpoint import read_checkpoint
from narm.recommending import Recommendation, Recommender

pytestmark = pytest.mark.slow

SESSIONS = [[101, 102, 103], [119], [105] * 60, [104, 999], [999]]


@pytest.fixture(scope="module")
def folder(checkpoint, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("packaged") / "model"
    package(checkpoint, folder)
    return folder


@pytest.fixture(scope="module")
def model(folder) -> PyFuncModel:
    return mlflow.pyfunc.load_model(folder)


def test_a_bag_is_packaged_and_answers_as_the_recommender_does(ring_splits, tmp_path):
    save_bag(train_runs(tmp_path, ring_splits), tmp_path / "bag.pt")
    package(tmp_path / "bag.pt", tmp_path / "model")
    answer = mlflow.pyfunc.load_model(tmp_path / "model").predict(pd.DataFrame({"session": SESSIONS}))
    assert_rows(answer, Recommender.load(tmp_path / "bag.pt").recommend(SESSIONS))


def assert_rows(answer: pd.DataFrame, expected: list[Recommendation]) -> None:
    assert list(answer.columns) == ["items", "scores", "unknown"]
    assert answer["items"].tolist() == [list(one.items) for one in expected]
    assert answer["unknown"].tolist() == [list(map(str, one.unknown)) for one in expected]
    for scores, one in zip(answer["scores"], expected, strict=True):
        assert scores == pytest.approx(list(one.scores), abs=1e-6)


@pytest.mark.parametrize(
    "given",
    [
        pd.DataFrame({"session": SESSIONS}),
        pd.DataFrame({"session": [np.array(session) for session in SESSIONS]}),
        pd.DataFrame({"session": [list(map(str, session)) for session in SESSIONS]}),
        pd.DataFrame({"session": [" ".join(map(str, session)) for session in SESSIONS]}),
        {"session": SESSIONS},
    ],
    ids=["lists", "arrays", "lists of text", "text", "dict"],
)
def test_it_answers_as_the_recommender_does(model, checkpoint, given):
    expected = Recommender.load(checkpoint).recommend([list(map(str, s)) for s in SESSIONS], k=20)
    answer = model.predict(given)
    assert answer["items"].tolist() == [list(one.items) for one in expected]
    assert_rows(answer, expected)
    assert answer["unknown"].tolist() == [[], [], [], ["999"], ["999"]]


@pytest.mark.parametrize(
    "request_",
    [
        {"dataframe_records": [{"session": session} for session in SESSIONS]},
        {"dataframe_split": {"columns": ["session"], "data": [[session] for session in SESSIONS]}},
        {"inputs": SESSIONS},
        {"inputs": {"session": SESSIONS}},
        {"dataframe_records": [{"session": " ".join(map(str, session))} for session in SESSIONS]},
    ],
    ids=["records", "split", "inputs", "named inputs", "text"],
)
def test_a_request_in_json_is_read_as_sessions(model, checkpoint, request_):
    body = infer_and_parse_data(json.loads(json.dumps(request_)), model.metadata.get_input_schema())
    answer = model.predict(body, params={"k": 3})
    assert_rows(answer, Recommender.load(checkpoint).recommend(SESSIONS, k=3))


def test_the_parameters_are_those_of_the_recommender(model, checkpoint):
    answer = model.predict(pd.DataFrame({"session": SESSIONS}), params={"k": 4, "exclude_seen": True})
    assert_rows(answer, Recommender.load(checkpoint).recommend(SESSIONS, k=4, exclude_seen=True))


@pytest.mark.parametrize("wrong", [7, None, {"item": 101}])
def test_a_row_that_is_no_session_is_named(model, wrong):
    with pytest.raises((ValueError, MlflowException), match=r"row 1: .* is no session"):
        model.predict(pd.DataFrame({"session": pd.Series([[101], wrong], dtype=object)}))


def test_nothing_of_it_is_pickled_and_no_training_is_shipped(folder, checkpoint):
    assert not list(folder.rglob("*.pkl"))
    (shipped,) = folder.rglob("*.pt")
    assert "optimizer" not in read_checkpoint(shipped)
    assert shipped.stat().st_size < checkpoint.stat().st_size


def test_it_says_what_goes_in_and_comes_out(model, folder):
    signature = model.metadata.signature
    assert signature.inputs.input_names() == ["session"]
    assert signature.outputs.input_names() == ["items", "scores", "unknown"]
    assert str(signature.outputs.input_types()[0]) == "Array(long)"
    assert [param.name for param in signature.params] == ["k", "exclude_seen"]
    assert model.input_example["session"].tolist() == [[101, 102, 103], [101]]
    assert (folder / "requirements.txt").read_text().split() == serving_requirements()


def run_python(code: str, *arguments: Any) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_requirements_are_what_recommending_imports(checkpoint):
    """Of this project's own dependencies; theirs come with them."""
    code = """
import sys
from narm.recommending import Recommender
Recommender.load(sys.argv[1]).recommend([[101]])
print(*{name.partition('.')[0] for name in sys.modules})
"""
    distributions = packages_distributions()
    imported = {
        name.lower() for module in run_python(code, checkpoint).split() for name in distributions.get(module, [])
    }
    ours = {"cmaes", "filelock", "mlflow", "numba", "numpy", "optuna", "pandas", "pyarrow", "pydantic", "pyyaml", "ray"}
    ours |= {"rich", "safetensors", "scipy", "torch"}
    for_mlflow, to_compile = {"mlflow", "pandas"}, {"filelock"}
    assert imported & ours | for_mlflow | to_compile == set(SERVING_PACKAGES)


def test_the_model_runs_its_own_copy_of_narm_and_nothing_else_of_this_project(folder):
    code = """
import sys, mlflow.pyfunc
model = mlflow.pyfunc.load_model(sys.argv[1])
import narm
print(narm.__file__)
print(*sorted({"experiments", "search_spaces", "ray", "optuna"} & set(sys.modules)))
"""
    origin, others = run_python(code, folder).splitlines()
    assert Path(origin) == folder / "code" / "narm" / "__init__.py"
    assert others == ""
