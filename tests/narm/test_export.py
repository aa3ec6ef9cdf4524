"""Exports give the scores of the model, for sizes that they have not seen, and are whole without this project."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import safetensors.torch
import torch
from support.trained_runs import train_runs
from torch import Tensor

from narm import export as exports
from narm.bag import Bag
from narm.bag_checkpoint import save_bag
from narm.checkpoint import load_model, save_checkpoint
from narm.config import Config, ModelConfig
from narm.errors import InputError
from narm.export import export, write_onnx, write_torch
from narm.model import NARM
from narm.training import create_model, fit

pytestmark = pytest.mark.slow

N_ITEMS = 30
SIZES = [(1, 1), (1, 9), (7, 1), (2, 3), (33, 50)]  # of batch and length; traced with (2, 3)
OPTIONS = [  # each takes seconds to trace: together they have every option
    {"n_layers": 2, "gru_bias": True},
    {"attention": "softmax", "scoring": "cosine"},
    {"model": "global", "scoring": "cosine", "learn_temperature": True, "unit_events": True},
    {"model": "local", "unit_events": True},
]


def random_model(seed: int = 1, **options: object) -> NARM:
    torch.manual_seed(seed)
    return NARM(N_ITEMS, ModelConfig.model_validate({"embedding_size": 6, "hidden_size": 10, **options})).eval()


def random_prefixes(batch: int, length: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(batch * length)
    lengths = rng.integers(1, length + 1, batch)
    lengths[0] = length
    prefixes = rng.integers(1, N_ITEMS, (batch, length)) * (np.arange(length) < lengths[:, None])
    return torch.from_numpy(prefixes), torch.from_numpy(lengths)


def load_torch(path: Path) -> Callable[[Tensor, Tensor], Tensor]:
    return torch.export.load(path).module()


def load_onnx(path: Path) -> Callable[[Tensor, Tensor], Tensor]:
    session = onnxruntime.InferenceSession(path)

    def run(prefixes: Tensor, lengths: Tensor) -> Tensor:
        (scores,) = session.run(["scores"], {"prefixes": prefixes.numpy(), "lengths": lengths.numpy()})
        return torch.from_numpy(scores)

    return run


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("write", "load"), [(write_torch, load_torch), (write_onnx, load_onnx)], ids=["torch", "onnx"])
def test_an_export_gives_the_scores_of_the_model(write, load, options, tmp_path):
    model = random_model(**options)
    write(model, tmp_path / "model")
    exported = load(tmp_path / "model")
    for batch, length in SIZES:
        prefixes, lengths = random_prefixes(batch, length)
        with torch.no_grad():
            expected = model.scores(prefixes, lengths)
        scores = exported(prefixes, lengths)
        assert scores.shape == (batch, N_ITEMS)
        assert (scores[:, 0] == -torch.inf).all()
        torch.testing.assert_close(scores[:, 1:], expected[:, 1:], rtol=0, atol=1e-5)


@pytest.mark.parametrize("scoring", ["dot", "cosine"])
@pytest.mark.parametrize(("write", "load"), [(write_torch, load_torch), (write_onnx, load_onnx)], ids=["torch", "onnx"])
def test_an_exported_bag_gives_the_mean_of_the_scores(write, load, scoring, tmp_path):
    members = [random_model(scoring=scoring, seed=seed) for seed in (1, 2, 3)]
    write(Bag(members), tmp_path / "model")
    exported = load(tmp_path / "model")
    for batch, length in SIZES:
        prefixes, lengths = random_prefixes(batch, length)
        with torch.no_grad():
            expected = torch.stack([member.scores(prefixes, lengths) for member in members]).mean(dim=0)
        scores = exported(prefixes, lengths)
        assert scores.shape == (batch, N_ITEMS)
        assert (scores[:, 0] == -torch.inf).all()
        torch.testing.assert_close(scores[:, 1:], expected[:, 1:], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a model of two layers that has trained two epochs on a ring of items."""
    return tmp_path_factory.mktemp("run") / "run.pt"


@pytest.fixture
def trained(checkpoint, ring_splits) -> Path:
    if not checkpoint.exists():
        config = Config.from_flat(embedding_size=8, hidden_size=12, n_layers=2, epochs=2, dataset="/elsewhere/ring.csv")
        model = create_model(ring_splits.n_items, config)
        for epoch in fit(model, ring_splits, config.training, config.evaluation, device="cpu"):
            save_checkpoint(checkpoint, epoch.state, config=config, splits=ring_splits)
    return checkpoint


def test_safetensors_and_its_description_make_the_model_again(trained, tmp_path):
    path = export(trained, tmp_path / "shipped", "safetensors")
    described = json.loads((tmp_path / "shipped" / "config.json").read_text())
    again = NARM(described["n_items"], ModelConfig.model_validate(described["model"]))
    again.load_state_dict(safetensors.torch.load_file(path))
    for name, value in load_model(trained).state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_a_bag_is_exported_from_its_checkpoint_and_made_again_of_safetensors(ring_splits, tmp_path):
    save_bag(train_runs(tmp_path, ring_splits, seeds=(1, 2), scoring="cosine"), tmp_path / "bag.pt")
    path = export(tmp_path / "bag.pt", tmp_path / "shipped", "safetensors")
    described = json.loads((tmp_path / "shipped" / "config.json").read_text())
    config = ModelConfig.model_validate(described["model"])
    again = Bag([NARM(described["n_items"], config) for _ in range(described["members"])])
    again.load_state_dict(safetensors.torch.load_file(path))
    prefixes, lengths = torch.tensor([[3, 4, 5], [7, 0, 0]]), torch.tensor([3, 1])
    with torch.no_grad():
        expected = load_model(tmp_path / "bag.pt").scores(prefixes, lengths)
        assert torch.equal(again.scores(prefixes, lengths), expected)
    scores = load_onnx(export(tmp_path / "bag.pt", tmp_path / "shipped", "onnx"))(prefixes, lengths)
    torch.testing.assert_close(scores[:, 1:], expected[:, 1:], rtol=0, atol=1e-5)


def test_a_bag_of_models_that_no_format_knows_is_refused(ring_splits, tmp_path):
    save_bag(train_runs(tmp_path, ring_splits, seeds=(1, 2), model="bpr_mf"), tmp_path / "bag.pt")
    with pytest.raises(InputError, match="holds a model bpr_mf; exports are for narm, global and local"):
        export(tmp_path / "bag.pt", tmp_path / "shipped", "onnx")


def test_what_stands_beside_the_model_says_how_to_use_it(trained, tmp_path):
    export(trained, tmp_path, "safetensors")
    assert json.loads((tmp_path / "item_ids.json").read_text()) == [None, *range(101, 120)]
    described = json.loads((tmp_path / "config.json").read_text())
    assert described["max_item_list_length"] == 50
    assert described["dataset"] == described["fingerprint"] == "ring"
    assert "elsewhere" not in json.dumps(described)  # where the data stood is nobody's business


def test_formats_share_a_folder(trained, tmp_path):
    for format in ("onnx", "safetensors"):
        assert export(trained, tmp_path, format).parent == tmp_path
    files = {"model.onnx", "model.safetensors", "config.json", "item_ids.json"}
    assert {path.name for path in tmp_path.iterdir()} == files


def test_a_baseline_is_refused(ring_splits, tmp_path):
    config = Config.from_flat(model="item_knn")
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    with pytest.raises(InputError, match="holds a model item_knn; exports are for narm, global and local"):
        export(tmp_path / "run.pt", tmp_path / "shipped", "onnx")


def test_what_cannot_be_exported_is_refused_in_one_line(trained, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such checkpoint"):
        export(tmp_path / "none.pt", tmp_path / "shipped", "torch")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        export(trained, tmp_path / "file", "torch")
    with monkeypatch.context() as patched:
        patched.setattr(exports, "LARGEST_ONNX", 1000)
        with pytest.raises(InputError, match="onnx holds 2 GB"):
            export(trained, tmp_path, "onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(InputError, match="pip install"):
        export(trained, tmp_path, "onnx")
