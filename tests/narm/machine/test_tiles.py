"""Tile sizes from caches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from narm.machine import tiles
from narm.machine.tiles import ROW_GROUP, cache_bytes, even_tiles, scratch, tile_size, whole_rows


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for index, (level, size) in enumerate([("1", "32K"), ("2", "2048K"), ("3", "33792K")]):
        entry = tmp_path / f"index{index}"
        entry.mkdir()
        (entry / "level").write_text(f"{level}\n")
        (entry / "size").write_text(f"{size}\n")
    monkeypatch.setattr(tiles, "_CACHES", tmp_path)
    cache_bytes.cache_clear()
    yield tmp_path
    cache_bytes.cache_clear()


@pytest.mark.usefixtures("caches")
def test_the_machine_tells_its_caches() -> None:
    assert [cache_bytes(level) for level in (2, 3)] == [2048 << 10, 33792 << 10]


def test_a_machine_that_does_not_tell_is_taken_to_be_small(caches: Path) -> None:
    (caches / "index1" / "size").write_text("?")
    (caches / "index2" / "level").unlink()
    assert [cache_bytes(level) for level in (2, 3)] == [256 << 10, 8 << 20]


@pytest.mark.usefixtures("caches")
@pytest.mark.parametrize("n_items", [2, 1_683, 43_098, 1_000_000])
def test_a_tile_fits_the_second_level_and_a_chunk_stays_near_the_third(n_items: int) -> None:
    size = tile_size(n_items, element_size=4)
    assert size.rows % ROW_GROUP == 0
    assert 4 * size.rows * size.items <= cache_bytes(2)
    assert size.rows == ROW_GROUP or 4 * size.rows * n_items <= 2 * cache_bytes(3)


@pytest.mark.usefixtures("caches")
def test_whole_rows_are_for_catalogues_of_which_a_core_holds_enough() -> None:
    sizes = {n_items: whole_rows(n_items, element_size=4) for n_items in (2, 1_683, 20_000, 32_768, 32_769, 43_098)}
    assert sizes == {2: 192, 1_683: 192, 20_000: 96, 32_768: 64, 32_769: 0, 43_098: 0}


@pytest.mark.parametrize(("n_items", "n_threads"), [(1683, 1), (1683, 2), (43_098, 2), (5, 4), (2, 1)])
def test_threads_get_tiles_of_about_equal_size(n_items: int, n_threads: int) -> None:
    items_a_tile = even_tiles(n_items, 512, n_threads)
    tile_items = [len(tile) for tile in torch.split(torch.arange(n_items), items_a_tile)]
    shares = [sum(tile_items[thread::n_threads]) for thread in range(n_threads)]
    assert max(tile_items) <= 512
    assert max(shares) - min(shares) <= max(items_a_tile, n_items // 20)
    assert max(shares) <= n_items / n_threads * 1.05 + len(tile_items)


def test_scratch_memory_is_used_again() -> None:
    like = torch.empty(0)
    first = scratch(20, 30, like)
    assert scratch(30, 10, like).data_ptr() == first.data_ptr()
    assert scratch(30, 10, like).is_contiguous()
