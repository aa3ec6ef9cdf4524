"""Work that is divided among threads: each share once, errors raised, OpenMP or not."""

from __future__ import annotations

import pytest
import torch

from narm.kernels.threads import run


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_share_runs_once(threads):
    torch.set_num_threads(threads)
    shares = []
    run(lambda thread, total, name: shares.append((thread, total, name)), "work")
    assert sorted(shares) == [(thread, threads, "work") for thread in range(threads)]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_thread_is_raised(threads):
    def fail(thread, total):
        if thread == total - 1:
            raise ZeroDivisionError

    torch.set_num_threads(threads)
    with pytest.raises(ZeroDivisionError):
        run(fail)


def test_another_runtime_falls_back_to_threads_of_python(monkeypatch):
    monkeypatch.setattr("narm.kernels.threads._openmp", lambda: None)
    torch.set_num_threads(2)
    shares = []
    run(lambda thread, total: shares.append(thread))
    assert sorted(shares) == [0, 1]
