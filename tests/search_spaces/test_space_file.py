"""Spaces as they are written, before the data are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from narm.errors import InputError
from search_spaces.space_file import find_space, read_space

BY_DATA = "softmax_samples: {low: 8, high: items / 4}\ndropout_probs[0]: [0.1]\n"


def test_what_a_file_varies_is_known_without_the_data() -> None:
    found = read_space("a", "a.yaml", BY_DATA)
    assert found.needs_data
    assert found.options == ("softmax_samples", "dropout_probs")
    assert found.names == ("softmax_samples", "dropout_probs[0]")
    other = read_space("a", "a.hyper", "n_layers choice [1,2]\ndropout_probs choice ['[0.1,0.1]']")
    assert not other.needs_data
    assert other.options == ("n_layers", "dropout_probs")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("n_layers: [1, 99]", "a.yaml:3: n_layers: 99"),
        ("hidden_size: {low: 9, high: 8}", "a.yaml:3: hidden_size: low 9 is above high 8"),
        ("softmax_alpha: {low: 0, high: item / 9}", "a.yaml:3: softmax_alpha: 'item' is no size"),
    ],
)
def test_mistakes_are_found_before_the_data_are_read(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_space("a", "a.yaml", BY_DATA + line)


def test_bundled_spaces_are_told_from_others(tmp_path: Path) -> None:
    path = tmp_path / "narm.yaml"
    path.write_text("n_layers: [1, 2]")
    assert find_space("recbole").is_bundled
    assert not find_space(path).is_bundled
