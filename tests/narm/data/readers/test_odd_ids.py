"""Ids that may not be meant as ids: taken as they are, and told."""

from __future__ import annotations

import pytest

from narm.config import DataConfig
from narm.data.events import read_events

HEADER = "session_id,item_id,time\n"


def notes_on(write, *rows: str) -> list[str]:
    events = read_events(write("a.csv", HEADER + "".join(f"{row}\n" for row in rows)), DataConfig())
    assert len(events) == len(rows)
    return [note for note in events.notes if "columns taken" not in note]


@pytest.mark.parametrize("spelled", ["nan", "NULL", "None", "N/A", r"\N", "<NA>", "undefined"])
def test_an_id_that_may_mean_that_there_is_none_is_told(write, spelled):
    notes = notes_on(write, f"{spelled},tea,1", f"{spelled},wine,2", f"b,{spelled},3")
    assert notes[0].startswith(f"a.csv: session '{spelled}' of 2 events is taken for an id; leave these rows out if")
    assert notes[1].startswith(f"a.csv: item '{spelled}' of 1 events ")


def test_ids_that_differ_in_spaces_alone_are_told(write):
    notes = notes_on(write, "a,tea,1", "a,tea ,2", "a,Tea,3")
    assert notes == ["a.csv: items 'tea' and 'tea ' differ in spaces alone, and are taken for two"]


@pytest.mark.parametrize("item", ["-1", "0", "inf", "0x10", "1e5x", "Tea", " tea"])
def test_other_ids_are_ids(write, item):
    assert notes_on(write, f"a,{item},1", "a,x,2") == []


def test_none_of_several_spaced_ids_is_overlooked(write):
    assert len(notes_on(write, "a, x,1", "a,tea ,2", "a,tea,3")) == 1
