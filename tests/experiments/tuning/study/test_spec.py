"""What a spec says of the study to come."""

from __future__ import annotations

from support.data_size import SMALL
from support.study_spec import make_spec

from narm.config import Config
from search_spaces.space import load_space


def test_a_space_smaller_than_the_number_of_trials_limits_it(tmp_path):
    assert make_spec(tmp_path, trials=100).trials_possible == 30
    assert make_spec(tmp_path, trials=100, config=Config.from_flat({"hidden_size": 8})).trials_possible == 31
    assert make_spec(tmp_path, trials=100, space=load_space("narm", SMALL)).trials_possible == 100
