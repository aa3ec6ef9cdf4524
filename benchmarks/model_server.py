"""`mlflow models serve` in processes of its own, for as long as a block lasts."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

START_SECONDS = 300
STOP_SECONDS = 10


@contextmanager
def model_server(model_uri: str, *, log: Path, **environment: str) -> Iterator[int]:
    """Serve a model of this environment by one worker, on a free port of 127.0.0.1, which is given.

    Args:
        model_uri: a folder, or an address in MLflow's registry.
        log: file for what the server says.
        environment: variables of its processes beside those of this one.
    Raises:
        RuntimeError: it does not come up; the message has the end of the log.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--workers", "1"]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--model-uri", model_uri, "--host", "127.0.0.1", "--port", str(port)],
            # MLflow looks for uvicorn on the path, where an environment that is not activated is not
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_up(server, port, log)
        yield port
    finally:
        _stop(server)


def _wait_until_up(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server answers, which it does once the model is loaded."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as ping:
            try:
                ping.request("GET", "/ping")
                with ping.getresponse() as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
    raise RuntimeError(f"mlflow models serve did not come up: {log.read_text()[-2000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and its workers, which are a process group of their own."""
    for way in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, way)
            server.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            break
    server.wait()
