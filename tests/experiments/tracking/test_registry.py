"""What the registry of a real MLflow store then holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mlflow.pyfunc
import pytest
import torch
from mlflow import MlflowClient
from support.mlflow_store import prepared_store
from support.search_summary import FINALS, REFIT, SHIPPING, SUMMARY, comparison

from experiments.tracking.registry import fetch_champion, register, registration_of
from experiments.tuning.study.summary import Best, Summary
from narm.checkpoint import load_model
from narm.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MlflowClient:
    """A database that all tests share; each has a dataset of its own."""
    return MlflowClient(prepared_store(tmp_path_factory.mktemp("mlflow") / "mlflow.db", tmp_path_factory))


@pytest.fixture
def run_id(store: MlflowClient, tmp_path: Path) -> str:
    experiment = store.create_experiment(tmp_path.name, artifact_location=(tmp_path / "artifacts").as_uri())
    return store.create_run(experiment).info.run_id


@pytest.fixture
def summary(tmp_path: Path) -> Summary:
    return replace(SUMMARY, dataset=replace(SUMMARY.dataset, name=tmp_path.name))


@pytest.fixture
def name(tmp_path: Path) -> str:
    return f"narm-{tmp_path.name}"


def with_value(summary: Summary, value: float) -> Summary:
    return replace(summary, best=Best(number=1, params={}, valid={"recall_at_10": value}))


def aliases(store: MlflowClient, name: str) -> dict[str, int]:
    """Versions by alias; MLflow has them as numbers or as text, by the kind of store."""
    return {alias: int(version) for alias, version in store.get_registered_model(name).aliases.items()}


def another(checkpoint: Path) -> Path:
    """A checkpoint with other content."""
    path = checkpoint.with_name("another.pt")
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, "epoch": content["epoch"] + 1}, path)
    return path


def test_the_winner_becomes_a_version_that_links_to_its_study(store, run_id, summary, checkpoint, name):
    register(store, run_id, registration_of(summary, checkpoint))
    version = store.get_model_version_by_alias(name, "champion")
    assert (version.run_id, int(version.version)) == (run_id, 1)
    assert version.description == "Study my-study, trial 1: validation Recall@10 0.3000; not tested"
    expected = {"study": "my-study", "trial": "1", "objective": "Recall@10", "validation": "0.3", "fingerprint": "f00"}
    assert expected.items() <= version.tags.items()
    loaded = mlflow.pyfunc.load_model(version.source)
    assert len(loaded.predict({"session": [[101, 102]]})["items"][0]) == 19


def test_registering_again_changes_nothing(store, run_id, summary, checkpoint, name):
    for _ in range(2):
        register(store, run_id, registration_of(summary, checkpoint))
    assert len(store.search_model_versions(f"name = '{name}'")) == 1
    assert aliases(store, name) == {"champion": 1}


def test_the_next_winner_of_a_study_is_a_version_of_its_own(store, run_id, summary, checkpoint, name):
    register(store, run_id, registration_of(summary, checkpoint))
    register(store, run_id, registration_of(with_value(summary, 0.4), another(checkpoint)))
    assert aliases(store, name) == {"champion": 2}
    sources = {version.source for version in store.search_model_versions(f"name = '{name}'")}
    assert len(sources) == 2


def test_a_worse_winner_challenges_the_champion_unless_it_is_preferred(store, run_id, summary, checkpoint, name):
    register(store, run_id, registration_of(summary, checkpoint))
    worse, checkpoint = with_value(summary, 0.2), another(checkpoint)
    register(store, run_id, registration_of(worse, checkpoint))
    assert aliases(store, name) == {"champion": 1, "challenger": 2}
    register(store, run_id, registration_of(worse, checkpoint, alias="champion"))
    assert aliases(store, name)["champion"] == 2


@pytest.mark.parametrize("change", ["data", "objective"])
def test_values_of_other_data_or_objectives_do_not_compare(store, run_id, summary, checkpoint, name, change):
    register(store, run_id, registration_of(summary, checkpoint))
    other = with_value(summary, 0.001)
    if change == "data":
        other = replace(other, dataset=replace(other.dataset, fingerprint="new"))
    else:
        other = replace(other, objective="MRR@5", best=Best(number=1, params={}, valid={"mrr_at_5": 0.001}))
    register(store, run_id, registration_of(other, another(checkpoint)))
    assert aliases(store, name) == {"champion": 2}


def test_a_finalist_is_described_by_its_mean_over_seeds(checkpoint):
    registration = registration_of(replace(SUMMARY, finals=FINALS), checkpoint)
    assert registration.tags["validation"] == "0.28"
    assert registration.tags["test_recall_at_10"] == "0.28"
    assert registration.description == "Study my-study, trial 1: validation Recall@10 0.2800, test 0.2800 ± 0.0100"


def test_a_bag_is_described_by_its_own_figures(checkpoint):
    registration = registration_of(replace(SUMMARY, finals=replace(FINALS, shipping=SHIPPING)), checkpoint)
    assert (registration.tags["runs"], registration.tags["validation"]) == ("3", "0.31")
    assert registration.tags["test_recall_at_10"] == "0.305"
    assert registration.description == (
        "Study my-study, trial 1, 3 runs as one: validation Recall@10 0.3100, test 0.3050"
    )


def test_what_was_trained_again_is_described_by_what_was_compared_and_its_single_look(checkpoint):
    finals = replace(FINALS, shipping=replace(SHIPPING, refit=REFIT))
    registration = registration_of(replace(SUMMARY, finals=finals), checkpoint)
    assert (registration.tags["refit"], registration.tags["test_recall_at_10"]) == ("valid", "0.305")
    assert registration.description == (
        "Study my-study, trial 1, 3 runs as one: validation Recall@10 0.3100, test 0.3050; then trained again on train "
        "and validation, test 0.3200 since, a single look"
    )
    everything = replace(REFIT, on="all", model=replace(REFIT.model, test={}))
    registration = registration_of(
        replace(SUMMARY, finals=replace(finals, shipping=replace(SHIPPING, refit=everything))), checkpoint
    )
    assert registration.description.endswith("test 0.3050; then trained again on train, validation and test")


def test_what_validation_prefers_is_registered_whatever_test_says(checkpoint):
    finals = replace(FINALS, comparisons=[comparison(0, -0.02, -0.03, -0.01)])
    assert registration_of(replace(SUMMARY, finals=finals), checkpoint).trial == "1"


def test_a_study_of_an_earlier_version_registers_what_it_kept_as_the_model_to_ship(checkpoint):
    finals = replace(FINALS, comparisons=[comparison(0, 0.02, -0.01, 0.05)], decided_by="test")
    registration = registration_of(replace(SUMMARY, finals=finals), checkpoint)
    assert registration.trial == "0"
    assert (registration.tags["validation"], registration.tags["test_recall_at_10"]) == ("0.19", "0.19")
    assert registration.description == (
        "Study my-study, trial 0, the default configuration: validation Recall@10 0.1900, test 0.1900 ± 0.0100"
    )


def test_a_dataset_may_have_a_name_that_mlflow_does_not_take(checkpoint):
    summary = replace(SUMMARY, dataset=replace(SUMMARY.dataset, name="a/b:c"))
    assert registration_of(summary, checkpoint).name == "narm-a-b-c"


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("ml-100k", "narm-ml-100k"), ("clicks (1)", "narm-clicks-1"), ("it's a/b:c@d", "narm-it-s-a-b-c-d")],
)
def test_a_model_has_a_name_that_addresses_and_filters_take(tmp_path, dataset, name):
    summary = replace(SUMMARY, dataset=replace(SUMMARY.dataset, name=dataset))
    assert registration_of(summary, tmp_path / "winner.pt").name == name


def test_the_champion_is_fetched_as_the_checkpoint_that_it_is(store, run_id, summary, checkpoint, name, tmp_path):
    register(store, run_id, registration_of(summary, checkpoint))
    fetched = fetch_champion(store.tracking_uri, tmp_path.name, tmp_path / "here", output=tmp_path)
    expected, found = load_model(checkpoint).state_dict(), load_model(fetched).state_dict()
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert fetched.is_relative_to(tmp_path / "here")


def test_what_is_no_champion_is_said_in_one_line(store, summary, tmp_path):
    with pytest.raises(InputError, match=r"has no checkpoint of narm-gone@champion to give: .*; name a file instead"):
        fetch_champion(store.tracking_uri, "gone", tmp_path, output=tmp_path)
    with pytest.raises(InputError, match=r"none.db is not there, so that it has no narm-gone@champion"):
        fetch_champion(f"sqlite:///{tmp_path}/none.db", "gone", tmp_path, output=tmp_path)
    assert not (tmp_path / "none.db").exists()
