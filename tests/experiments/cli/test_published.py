"""Published tables."""

from __future__ import annotations

import pytest

from experiments.cli.published import find_tables, published
from narm.errors import InputError
from narm.models import MODELS


def test_every_row_is_a_share_and_names_a_model_that_there_is():
    for tables in published().values():
        for table in tables:
            assert table.source
            assert table.note
            for row in table.rows:
                assert row.ours is None or row.ours in MODELS
                assert 0 < row.mrr < row.recall < 100


def test_an_unknown_table_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'sr-gnn'"):
        find_tables("srgnn")
