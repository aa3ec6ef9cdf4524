"""What is suggested for an unknown name."""

from narm.text.suggestion import did_you_mean


def test_the_nearest_name_in_any_spelling():
    assert did_you_mean("Hiden-Size", ["n_layers", "hidden_size"]) == "; did you mean 'hidden_size'?"


def test_without_a_near_name_all_are_listed():
    assert did_you_mean("xyz", ["abc", "def"]) == "; known: abc, def"
