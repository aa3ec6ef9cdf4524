"""A checkpoint gives back the model and the item ids, and admits no code."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
import torch

from narm.checkpoint import load_model, load_vocabulary, save_checkpoint, save_for_use
from narm.config import Config
from narm.data.refit import take_in
from narm.data.sessions import ItemVocabulary
from narm.errors import InputError
from narm.training import create_model, fit


def test_the_loaded_model_has_the_weights_of_the_best_epoch(ring_splits, tmp_path):
    config = Config.from_flat(embedding_size=8, hidden_size=12, epochs=3, n_layers=2)
    model = create_model(20, config)
    for epoch in fit(model, ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    loaded = load_model(tmp_path / "run.pt")
    assert not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])
    assert list(tmp_path.iterdir()) == [tmp_path / "run.pt"]  # no temporary file is left


@pytest.mark.parametrize("ids", [np.arange(101, 120), np.array([f"item {i}" for i in range(19)])])
def test_raw_item_ids_survive(ring_splits, tmp_path, ids):
    import dataclasses

    splits = dataclasses.replace(ring_splits, vocabulary=ItemVocabulary(ids))
    config = Config.from_flat(embedding_size=4, hidden_size=4, epochs=1)
    for epoch in fit(create_model(20, config), splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=splits)
    vocabulary = load_vocabulary(tmp_path / "run.pt")
    assert vocabulary.raw(3) == str(ids[2])
    assert vocabulary.index(ids[2]) == 3


def test_a_checkpoint_for_use_has_the_model_and_refuses_to_train_on(ring_splits, tmp_path):
    config = Config.from_flat(embedding_size=4, hidden_size=4, epochs=2)
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    save_for_use(tmp_path / "run.pt", tmp_path / "model.pt")
    for name, value in load_model(tmp_path / "run.pt").state_dict().items():
        assert torch.equal(value, load_model(tmp_path / "model.pt").state_dict()[name])
    assert load_vocabulary(tmp_path / "model.pt").raw(1) == "101"
    again = fit(
        create_model(20, config),
        ring_splits,
        config.training,
        config.evaluation,
        device="cpu",
        resume=tmp_path / "model.pt",
    )
    with pytest.raises(InputError, match="holds a model to use, not its training"):
        next(again)


@pytest.mark.parametrize("content", ["session,item,time\ns0,sku-4,0\n", "{}", "name: x\n", "R", "(lp0\n", ".", ""])
def test_a_file_of_another_kind_is_said_to_be_none(tmp_path, content):
    (tmp_path / "clicks.csv").write_text(content)
    with pytest.raises(InputError, match=r"clicks.csv: not a (readable )?checkpoint"):
        load_model(tmp_path / "clicks.csv")


class Malicious:
    def __reduce__(self):
        return (print, ("this code must not run",))


def test_a_pickle_that_would_run_code_is_refused(tmp_path, capsys):
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(InputError, match=r"not a checkpoint of NARM Search \(narm-checkpoint-1\), or torn$"):
        load_model(tmp_path / "evil.pt")
    torch.save({"format": "another"}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="not a checkpoint of NARM Search"):
        load_model(tmp_path / "other.pt")
    assert "must not run" not in capsys.readouterr().out


def test_training_does_not_go_on_from_what_has_learned_from_what_was_held_out(ring_splits, tmp_path):
    config = Config.from_flat(embedding_size=8, hidden_size=8, epochs=2, eval_step=0)
    everything = take_in(ring_splits, "valid")
    first = next(fit(create_model(20, config), everything, config.training, config.evaluation, device="cpu"))
    save_checkpoint(tmp_path / "refit.pt", first.state, config=config, splits=everything)
    again = partial(fit, training=config.training, evaluation=config.evaluation, device="cpu")
    with pytest.raises(InputError, match=r"refit.pt: has learned from what was held out, once all was decided"):
        next(again(create_model(20, config), ring_splits, resume=tmp_path / "refit.pt"))
    assert next(again(create_model(20, config), everything, resume=tmp_path / "refit.pt")).epoch == 2
