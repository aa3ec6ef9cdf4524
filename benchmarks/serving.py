"""What it costs to ask a model: p50 and p99 of one request, and sessions a second in batches.

    python -m benchmarks.serving

A NARM of the default shape over a catalogue of Diginetica's size answers the same random sessions in four ways: in
Python, as ONNX and torch.export (scores of all items, and the best 20 of them), and over HTTP by `mlflow models serve`,
in a process of its own, of one worker. What it has learned does not matter here: it trains one epoch on little data.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.generated import random_items, random_splits
from benchmarks.model_server import model_server
from benchmarks.results_file import write_results
from experiments.cli.running import run_command
from experiments.tracking.package import package
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.export import export
from narm.machine.threads import set_threads
from narm.recommending import Recommender
from narm.training import create_model, fit

N_ITEMS = 43_098  # Diginetica's, and the padding
LENGTHS = (1, 20)
K = 20
REQUESTS = 2_000
WARM_UP = 50
BATCH = 1_000
BATCHES = 10

Session = list[int]
Ask = Callable[[Sequence[Session]], object]


def train_checkpoint(path: Path) -> None:
    """A checkpoint of a model of the default shape."""
    splits = random_splits(20_000, N_ITEMS)
    config = Config.from_flat(epochs=1, eval_step=0, loss_type="sampled_softmax")
    for epoch in fit(create_model(N_ITEMS, config), splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(path, epoch.state, config=config, splits=splits)


def random_sessions(count: int, *, seed: int) -> list[Session]:
    """Sessions of uniform lengths in `LENGTHS`, popular items oftener; raw ids are the indices."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(LENGTHS[0], LENGTHS[1], count, endpoint=True)
    items = random_items(int(lengths.sum()), N_ITEMS, rng)
    return [part.tolist() for part in np.split(items, np.cumsum(lengths)[:-1])]


def in_python(checkpoint: Path) -> Ask:
    """`Recommender.recommend`."""
    recommender = Recommender.load(checkpoint)
    return lambda sessions: recommender.recommend(sessions, k=K)


def in_onnx(checkpoint: Path, folder: Path) -> Ask:
    """onnxruntime, with as many threads as torch."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    model = onnxruntime.InferenceSession(export(checkpoint, folder, "onnx"), options)

    def ask(sessions: Sequence[Session]) -> object:
        prefixes, lengths = pad(sessions)
        (scores,) = model.run(None, {"prefixes": prefixes.numpy(), "lengths": lengths.numpy()})
        return torch.topk(torch.from_numpy(scores), K)

    return ask


def in_torch_export(checkpoint: Path, folder: Path) -> Ask:
    """The exported program, as torch runs it."""
    model = torch.export.load(export(checkpoint, folder, "torch")).module()

    def ask(sessions: Sequence[Session]) -> object:
        with torch.no_grad():
            return torch.topk(model(*pad(sessions)), K)

    return ask


def pad(sessions: Sequence[Session]) -> tuple[Tensor, Tensor]:
    """Item indices, right-padded, and lengths."""
    lengths = torch.tensor([len(session) for session in sessions])
    rows = [torch.tensor(session) for session in sessions]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths


@contextmanager
def over_http(checkpoint: Path, folder: Path) -> Iterator[Ask]:
    """`mlflow models serve`, asked over one connection that stays open."""
    package(checkpoint, folder)
    threads = str(torch.get_num_threads())
    with model_server(str(folder), log=folder.with_suffix(".log"), OMP_NUM_THREADS=threads) as port:

        def ask(sessions: Sequence[Session]) -> object:
            body = json.dumps({"inputs": sessions, "params": {"k": K}})
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            with connection.getresponse() as response:
                answer = json.load(response)
            if response.status != 200:
                raise RuntimeError(f"the server answered {response.status}: {answer}")
            return answer

        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            yield ask


def measure(name: str, ask: Ask) -> dict[str, object]:
    """A row of the table."""
    for session in random_sessions(WARM_UP, seed=1):
        ask([session])
    milliseconds = []
    for session in random_sessions(REQUESTS, seed=2):
        started = time.perf_counter()
        ask([session])
        milliseconds.append(1e3 * (time.perf_counter() - started))
    batches = [random_sessions(BATCH, seed=seed) for seed in range(3, 3 + BATCHES)]
    ask(batches[0])
    started = time.perf_counter()
    for batch in batches:
        ask(batch)
    seconds = time.perf_counter() - started
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return {
        "how": name,
        "p50 ms": round(float(p50), 2),
        "p99 ms": round(float(p99), 2),
        "sessions a second": round(BATCH * BATCHES / seconds),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--threads", type=int, default=1, help="of the model, in this process and in the server")
    given = parser.parse_args(arguments)
    set_threads(given.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checkpoint = folder / "run.pt"
        train_checkpoint(checkpoint)
        rows = [
            measure("Python: Recommender.recommend", in_python(checkpoint)),
            measure("ONNX: onnxruntime", in_onnx(checkpoint, folder / "exported")),
            measure("torch.export", in_torch_export(checkpoint, folder / "exported")),
        ]
        with over_http(checkpoint, folder / "model") as ask:
            rows.append(measure("HTTP: mlflow models serve", ask))
    for row in rows:
        print(row)
    write_results(
        "serving",
        title="Asking a model",
        notes=f"The best {K} of {N_ITEMS - 1:,} items, embedding 64, hidden 128. p50 and p99 of {REQUESTS:,} requests "
        f"of one session of {LENGTHS[0]} to {LENGTHS[1]} events, one after the other; sessions a second in batches of "
        f"{BATCH:,}. HTTP from the same machine, one worker, JSON both ways.",
        rows=rows,
    )
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
