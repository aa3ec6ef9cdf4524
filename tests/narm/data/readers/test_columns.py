"""Which columns are taken, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from narm.config import DataConfig
from narm.data.readers.columns import find_columns, with_columns
from narm.data.readers.event_table import EventTable
from narm.errors import InputError

LOGS = {
    "REES46": ("event_time,event_type,product_id,category_id,brand,price,user_id,user_session", "user_session"),
    "RetailRocket": ("timestamp,visitorid,event,itemid,transactionid", "visitorid"),
    "Trivago": ("user_id,session_id,timestamp,step,item_id", "session_id"),
    "OTTO": ("session,aid,ts,type", "session"),
    "Globo": ("user_id,session_id,session_start,session_size,click_article_id,click_timestamp", "session_id"),
    "MovieLens": ("userId,movieId,rating,timestamp", "userId"),
    "Amazon": ("user_id,parent_asin,rating,timestamp", "user_id"),
    "visits": ("user_id,visit_id,sku,time", "visit_id"),
    "baskets": ("customer_id,basket_id,product_id,time", "basket_id"),
    "orders": ("user_id,order_id,product_id,time", "order_id"),
    "another shop": ("user_id,user_session_id,product_id,timestamp", "user_session_id"),
    "unheard of": ("user_id,web_session_key,product_id,timestamp", "web_session_key"),
    "only what sessions are like": ("user_id,session_start,session_length,item_id,time", "user_id"),
}


@pytest.mark.parametrize(("header", "session"), LOGS.values(), ids=LOGS)
def test_where_a_file_has_both_the_session_is_preferred_to_the_user(header, session):
    for names in (header.split(","), header.split(",")[::-1]):
        assert find_columns(names, DataConfig(), "log").session == session


@pytest.mark.parametrize("header", [header for header, _ in LOGS.values() if "user_id" in header])
def test_a_gap_cuts_users(header):
    assert find_columns(header.split(","), DataConfig(session_gap="30m"), "log").session == "user_id"


IDS = pa.chunked_array([pa.array([1]).dictionary_encode()])
EVENTS = EventTable(sessions=IDS, items=IDS, times=pa.chunked_array([[1]]), ticks_per_second=1)


def note(names: list[str], **options: str) -> str:
    config = DataConfig(**options)
    columns = find_columns(names, config, "log")
    return " ".join(with_columns(EVENTS, columns, names, config, Path("shop.csv")).taken)


def test_a_note_says_what_was_taken():
    assert note(["user_id", "user_session", "product_id", "ts"], time_unit="ms") == (
        "shop.csv: columns taken: session user_session, item product_id, time ts (numbers, in ms); "
        "the user, user_id, is not used"
    )


def test_a_better_candidate_is_named():
    names = ["user_id", "user_session", "product_id", "ts"]
    assert note(names, session_gap="30m").endswith(
        "; user_session also looks like a session: session_column: user_session"
    )
    assert note(["session_id", "visit_id", "item_id", "ts"]).endswith("session_column: visit_id")


def test_nothing_is_said_of_columns_that_options_name():
    options = {"session_column": "a", "item_column": "b", "time_column": "c"}
    assert note(["a", "b", "c", "session_id"], **options) == ""


def test_dates_have_no_unit():
    names = ["session_id", "item_id", "time"]
    columns = find_columns(names, DataConfig(), "log")
    dated = replace(EVENTS, of_dates=True)
    (said,) = with_columns(dated, columns, names, DataConfig(time_unit="ms"), Path("x")).taken
    assert said.endswith("time time (dates)")


def test_a_column_that_is_not_there_names_the_others():
    with pytest.raises(InputError, match="log: no usual time column; name one with time_column: user_id, item_id, day"):
        find_columns(["user_id", "item_id", "day"], DataConfig(), "log")
