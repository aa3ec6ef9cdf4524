"""The table of options: spellings, and what is said of an option that there is not."""

import pytest
from pydantic import BaseModel

from narm.config import OPTIONS
from narm.errors import InputError
from narm.options import OptionTable, option


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("learning-rate", "learning_rate"),
        ("Hidden_Size", "hidden_size"),
        ("MAX_ITEM_LIST_LENGTH", "max_item_list_length"),
        ("USER_ID_FIELD", "session_column"),
        ("ITEM_ID_FIELD", "item_column"),
        ("time-field", "time_column"),
    ],
)
def test_spellings(spelling, name):
    assert OPTIONS.canonical(spelling) == name
    assert OPTIONS.find(spelling).name == name


class Tea(BaseModel):
    minutes: int = option(3, "to wait", reason="taste", searchable=True, recbole="STEEP_TIME", ge=1)


def test_a_field_of_a_section_is_an_option():
    table = OptionTable({"tea": Tea})
    assert list(table) == ["minutes"]
    found = table.find("steep-time")
    assert (found.section, found.default, found.reason, found.searchable) == ("tea", 3, "taste", True)
    assert table.check("minutes", "4") == 4
    with pytest.raises(InputError, match=r"^minutes: 0: input should be greater than or equal to 1$"):
        table.check("minutes", 0)
    with pytest.raises(InputError, match=r"^unknown option 'minute'; did you mean 'minutes'\?$"):
        table.check("minute", 4)
