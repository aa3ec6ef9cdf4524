"""Times in another unit than said are found out in both directions."""

from __future__ import annotations

import numpy as np
import pytest

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.plausible_times import other_unit, require_seconds
from narm.data.readers.event_table import TICKS
from narm.errors import InputError

SECONDS = np.arange(1_569_931_200, 1_569_931_300)


@pytest.mark.parametrize("true", TICKS)
@pytest.mark.parametrize("said", TICKS)
def test_each_unit_taken_for_each_other(true, said):
    times = SECONDS * TICKS[true]
    if true == said:
        assert other_unit(times, TICKS[said]) is None
        assert require_seconds(times, TICKS[said], "session_gap") == TICKS[said]
        return
    with pytest.raises(InputError, match=rf"session_gap: the last time would be in the year .* time_unit: {true}$"):
        require_seconds(times, TICKS[said], "session_gap")


@pytest.mark.parametrize("times", [[0, 10], [0, 10**9 * 1500], [-5, 5], [-(10**9), 10**9]])
@pytest.mark.parametrize("said", TICKS)
def test_times_since_another_beginning_are_left_alone(times, said):
    assert other_unit(np.array(times), TICKS[said]) is None


def test_times_without_a_unit_are_left_alone():
    assert other_unit(SECONDS, None) is None


@pytest.mark.parametrize(("scale", "unit", "year"), [(1000, "s", "51,7"), (1, "ms", "1,970")])
def test_where_no_duration_is_counted_it_is_noted(write, scale, unit, year):
    lines = "".join(f"{n // 3},{n % 5},{(1_569_931_200 + n) * scale}\n" for n in range(60))
    path = write("a.csv", "session_id,item_id,time\n" + lines)
    sound = "ms" if unit == "s" else "s"
    notes = load_splits(DataConfig(dataset=str(path), time_unit=unit)).notes
    (note,) = (note for note in notes if "year" in note)
    assert note.startswith(f"a.csv: the last time would be in the year {year}")
    assert note.endswith(f"times are in {sound}: time_unit: {sound}; here only their order counts")
    with pytest.raises(InputError, match=f"test_period: .* time_unit: {sound}$"):
        load_splits(DataConfig(dataset=str(path), time_unit=unit, test_period="1d"))
