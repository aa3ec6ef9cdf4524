"""An update as a line of JSON."""

from __future__ import annotations

from experiments.tracking.update import Update


def test_an_update_survives_its_line() -> None:
    update = Update(
        run="7", time=5, step=3, status="KILLED", params={"a": "1"}, tags={"ü": "zwei\nZeilen"},
        metrics={"mrr_at_10": 0.1, "loss": float("inf")}, texts={"x.txt": "é"}, files={"m.pt": "/m.pt"},
        links={"trial_run_id": "3"}, dataset={"name": "clicks"},
    )  # fmt: skip
    assert update.to_line().count(b"\n") == 1
    assert Update.from_line(update.to_line()) == update
