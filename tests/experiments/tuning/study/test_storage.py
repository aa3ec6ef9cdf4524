"""Studies and their databases are opened: new ones, known ones, and whoever else is at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import optuna
import pytest
from optuna.trial import TrialState, create_trial
from sqlalchemy import event
from support.data_size import SMALL
from support.study_spec import make_spec

from experiments.tuning.study.database import open_storage
from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import (
    StoredTrial,
    add_trial,
    closing_study,
    create_study,
    keep_database,
    load_study,
    resume_study,
    store_spec,
)
from experiments.tuning.study.trial_attributes import SPEC
from narm.config import Config
from narm.errors import InputError
from search_spaces.space import load_space

SEARCHES = 4


@pytest.fixture
def spec(tmp_path: Path) -> StudySpec:
    return make_spec(tmp_path)


def test_a_new_study_is_maximised_and_remembers_what_it_is_for(spec):
    study = create_study(spec, "f")
    assert study.trials == []
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
    assert study.user_attrs["spec"]["objectives"] == "MRR@10"


def test_a_database_whose_file_was_removed_is_written_again(spec):
    study = create_study(spec, "f")
    assert keep_database(study) is None
    file = Path(spec.storage.removeprefix("sqlite:///"))
    for removed in file.parent.glob(f"{file.name}*"):
        removed.unlink()
    study.add_trial(create_trial(value=0.5))
    assert keep_database(study) == file
    with closing_study(load_study(spec.name, spec.storage)) as kept:
        assert [trial.value for trial in kept.trials] == [0.5]


def test_a_study_goes_on_with_another_space_and_budget(spec, tmp_path):
    create_study(spec, "f")
    other = make_spec(tmp_path, space=load_space("narm", SMALL), trials=50, sampler="random")
    study = resume_study(other, "f")
    assert study.user_attrs["spec"]["trials"] == spec.trials  # another process may hold it
    store_spec(study, other, "f")
    assert load_study("s", spec.storage).user_attrs["spec"]["trials"] == 50


@pytest.mark.parametrize(
    ("changes", "fingerprint", "message"),
    [
        ({}, "g", "was on other data"),
        ({"objectives": parse_objectives("Recall@20"), "config": Config.from_flat(epochs=3, valid_metric="Recall@20")},
         "f", "is for MRR@10, not Recall@20"),
        ({"config": Config.from_flat(epochs=3, train_batch_size=64)}, "f", "train_batch_size was 2048"),
    ],
)  # fmt: skip
def test_what_would_not_compare_is_refused(spec, tmp_path, changes, fingerprint, message):
    create_study(spec, "f")
    with pytest.raises(InputError, match=message):
        resume_study(make_spec(tmp_path, **changes), fingerprint)


def test_a_study_from_before_there_was_an_option_goes_on_with_its_default(spec):
    with closing_study(create_study(spec, "f00")) as study:
        record = study.user_attrs[SPEC]
        older = {name: value for name, value in record["config"].items() if name not in ("scoring", "unit_events")}
        study.set_user_attr(SPEC, record | {"config": older})
    with closing_study(resume_study(spec, "f00")):
        pass
    other = replace(spec, config=spec.config.replace({"scoring": "cosine"}))
    with pytest.raises(InputError, match="scoring was dot in study 's', not cosine"):
        resume_study(other, "f00")


def test_the_connections_to_a_study_are_closed_with_it(spec):
    closed: list[object] = []
    with closing_study(create_study(spec, "f")) as study:
        event.listen(study._storage._backend.engine, "close", lambda *_: closed.append(1))
        assert study.trials == []
        assert not closed
    assert closed


def test_a_study_that_is_not_there_is_told_with_the_nearest_name(spec):
    create_study(spec, "f")
    with pytest.raises(InputError, match="there is no 'ss' in sqlite"):
        load_study("ss", spec.storage)


def test_a_study_whose_folder_exists_is_refused(spec):
    create_study(spec, "f")
    with pytest.raises(InputError, match=r"s exists already: go on with it \(--resume s\)"):
        create_study(spec, "f")


def test_a_study_that_the_storage_has_is_refused(spec, tmp_path):
    create_study(spec, "f")
    elsewhere = make_spec(tmp_path / "elsewhere", storage=spec.storage)
    with pytest.raises(InputError, match=r"study: 's' exists already in sqlite"):
        create_study(elsewhere, "f")
    assert not elsewhere.folder.exists()


def test_a_password_of_the_storage_is_never_shown(tmp_path):
    with pytest.raises(InputError, match="cannot be opened") as error:
        create_study(make_spec(tmp_path, storage="postgresql://me:secret@nowhere.invalid/db"), "f")
    assert "secret" not in str(error.value)


def test_searches_that_begin_at_the_same_moment_share_a_new_database(tmp_path: Path) -> None:
    start = Barrier(SEARCHES)

    def begin(url: str) -> int:
        start.wait()
        return len(open_storage(url).get_all_studies())

    for attempt in range(3):
        with ThreadPoolExecutor(SEARCHES) as searches:
            assert list(searches.map(begin, [f"sqlite:///{tmp_path}/{attempt}.db"] * SEARCHES)) == [0] * SEARCHES


def test_what_cannot_be_opened_is_said_without_a_password(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"storage: sqlite:////.*/no/s.db cannot be opened"):
        open_storage(f"sqlite:///{tmp_path}/no/s.db")


def test_a_stored_trial_runs_waits_and_ends_as_the_study_has_it(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_storage(f"sqlite:///{tmp_path}/s.db"), direction="maximize")
    trial = add_trial(study, create_trial(state=TrialState.RUNNING, user_attrs={"seed": 1}))
    trial.set_value(1, 0.1)
    trial.set_value(1, 0.2)
    trial.set_state(TrialState.WAITING)
    trial.set_attribute("reason", "interrupted")
    [waiting] = study.trials
    assert (waiting.state, waiting.intermediate_values) == (TrialState.WAITING, {1: 0.2})
    again = StoredTrial(study, waiting)
    again.set_state(TrialState.RUNNING)
    assert again.attributes == {"seed": 1, "reason": "interrupted"}
    assert again.tell(TrialState.COMPLETE, [0.2]).value == 0.2
    assert again.read().state is TrialState.COMPLETE
