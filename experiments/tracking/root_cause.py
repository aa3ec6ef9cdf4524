"""The innermost cause of an error, fit to be shown."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.tuning.worker.addresses import mask_credentials

_PROXY_ERROR = "ProxyError"  # of requests, and of urllib3 below it


def root_cause(error: BaseException) -> str:
    """The first cause of an error, in one line without credentials: `[Errno 111] Connection refused`.

    A proxy that fails is named: the server may be well, on this very machine, and `http_proxy` holds for it too.
    """
    chain = list(_chain(error))
    first_line = (str(chain[-1]).splitlines() or [""])[0]
    cause = mask_credentials(first_line)[:200] or type(chain[-1]).__name__
    if any(type(each).__name__ == _PROXY_ERROR for each in chain):
        return f"the proxy of http_proxy or https_proxy: {cause}; NO_PROXY lists the hosts to reach without it"
    return cause


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it comes from, the innermost last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
