"""`python -m experiments.export` as a person calls it."""

import pytest

from experiments import export
from experiments.cli.exit_status import EXIT_USAGE
from experiments.cli.running import run_command
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.training import create_model, fit

pytestmark = pytest.mark.slow


@pytest.fixture
def checkpoint(ring_splits, tmp_path):
    config = Config.from_flat(embedding_size=4, hidden_size=4, epochs=1)
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    return tmp_path / "run.pt"


def test_it_prints_the_file_it_wrote(checkpoint, tmp_path, capsys):
    output = tmp_path / "shipped"
    assert run_command(export.main, [str(checkpoint), "--format", "safetensors", "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}/model.safetensors\n"
    assert (output / "model.safetensors").is_file()


def test_a_mistake_is_one_line(checkpoint, tmp_path, capsys):
    command = [str(checkpoint), "--format", "onx", "--output", str(tmp_path)]
    assert run_command(export.main, command) == EXIT_USAGE
    assert capsys.readouterr().err == "error: format: there is no 'onx'; did you mean 'onnx'?\n"
    assert run_command(export.main, ["gone.pt", "--format", "torch", "--output", str(tmp_path)]) == EXIT_USAGE
    assert capsys.readouterr().err == "error: gone.pt: no such checkpoint\n"
