"""optuna-dashboard opens on a study as searches leave it."""

from __future__ import annotations

from pathlib import Path

import optuna_dashboard
from support.small_study import search, study_of
from werkzeug.test import Client

from experiments.tuning.study.database import open_storage
from experiments.tuning.study.storage import storage_in


def test_the_dashboard_shows_the_study(tmp_path: Path) -> None:
    url = storage_in(tmp_path)
    study = study_of(search(), storage=open_storage(url))
    client = Client(optuna_dashboard.wsgi(url))
    [listed] = client.get("/api/studies").get_json()["study_summaries"]
    assert listed["study_name"] == "my-study"
    detail = client.get(f"/api/studies/{listed['study_id']}", query_string={"after": 0}).get_json()
    assert [trial["state"].upper() for trial in detail["trials"]] == [
        trial.state.name.upper() for trial in study.trials
    ]
    assert client.get("/dashboard/").status_code == 200
