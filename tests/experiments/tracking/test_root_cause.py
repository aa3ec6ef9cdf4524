"""The line that says why a server does not answer."""

from __future__ import annotations

from itertools import pairwise

import pytest

from experiments.tracking.mlflow_client import connect
from experiments.tracking.root_cause import root_cause


def chained(*errors):
    """The last of `errors`, each the cause of the next."""
    for cause, error in pairwise(errors):
        error.__cause__ = cause
    return errors[-1]


def test_it_is_the_first_cause():
    assert root_cause(chained(OSError("refused"), ValueError("retries exceeded"), RuntimeError("failed"))) == "refused"


def test_it_is_one_line_without_credentials():
    assert root_cause(ValueError("at http://me:secret@host/x\nand more")) == "at http://***@host/x"
    assert root_cause(ValueError()) == "ValueError"


@pytest.mark.slow  # imports MLflow
def test_a_proxy_is_named(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(Exception, match="failed with exception") as caught:
        connect("http://127.0.0.1:5000").search_experiments()
    said = root_cause(caught.value)
    assert said.startswith("the proxy of http_proxy or https_proxy: [Errno 111] Connection refused")
    assert said.endswith("NO_PROXY lists the hosts to reach without it")
