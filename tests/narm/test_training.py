"""The generator of epochs: it learns, stops, resumes to the bit, and refuses to go on with NaN."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from narm.checkpoint import load_model, save_checkpoint, save_for_use
from narm.config import Config
from narm.data.sessions import Examples
from narm.errors import InputError
from narm.evaluation.full_ranking import evaluate
from narm.losses.step_loss import build_step_loss
from narm.pulse import Pulse
from narm.training import NonFiniteLoss, create_model, fit
from narm.training_state import LiveEpoch

SMALL = {"embedding_size": 8, "hidden_size": 12, "train_batch_size": 128, "learning_rate": 0.01, "epochs": 6}

OBJECTIVES = {
    "CE": {},
    "prefixes": {"batching": "prefixes"},
    "bias, softmax, 2 layers": {"gru_bias": True, "attention": "softmax", "n_layers": 2},
    "clipped and decayed": {"clip_grad_norm": 0.5, "weight_decay": 1e-5},
    "sampled softmax": {"loss_type": "sampled_softmax", "softmax_samples": 8},
    "half a pass": {"epochs_per_pass": 2, "learning_rate": 0.03},
    "BPR": {"loss_type": "BPR"},
    "BPR popularity": {
        "loss_type": "BPR",
        "train_neg_sample_args": {"distribution": "popularity", "sample_num": 3, "alpha": 0.5},
    },
    "BPR dynamic": {"loss_type": "BPR", "train_neg_sample_args": {"dynamic": True, "candidate_num": 4}},
    "cosine": {"scoring": "cosine"},
    "cosine of unit events": {"scoring": "cosine", "unit_events": True},
    "cosine, temperature learned, sampled softmax": {
        "scoring": "cosine", "learn_temperature": True, "loss_type": "sampled_softmax", "softmax_samples": 8,
    },
    "cosine, BPR": {"scoring": "cosine", "temperature": 0.2, "loss_type": "BPR"},
    "AdamW, on a line to zero after warming up": {
        "optimizer": "adamw", "weight_decay": 0.01, "learning_rate_schedule": "linear", "warmup_passes": 0.5,
        "learning_rate": 0.02,
    },
    "Adagrad, half a cosine in half passes": {
        "optimizer": "adagrad", "learning_rate_schedule": "cosine", "epochs_per_pass": 2, "learning_rate": 0.2,
    },
    "smoothed": {"label_smoothing": 0.1},
    "averaged": {"averaging_passes": 1.5},
}  # fmt: skip


def run(splits, config: Config, **more) -> tuple[torch.nn.Module, list[LiveEpoch]]:
    model = create_model(splits.n_items, config)
    return model, list(fit(model, splits, config.training, config.evaluation, device="cpu", **more))


@pytest.mark.parametrize("options", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_every_objective_learns_the_ring(ring_splits, options):
    config = Config.from_flat({**SMALL, "epochs": 15, **options})
    _, epochs = run(ring_splits, config)
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert epochs[-1].best["mrr_at_10"] > 0.8  # chance is 0.15
    assert epochs[-1].best["mrr_at_10"] > epochs[0].valid["mrr_at_10"]


@pytest.mark.parametrize("options", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(ring_splits, options, tmp_path):
    config = Config.from_flat({**SMALL, **options})
    whole, epochs = create_model(20, config), []
    for epoch in fit(whole, ring_splits, config.training, config.evaluation, device="cpu"):
        epochs.append(epoch)
        save_checkpoint(tmp_path / f"{epoch.epoch}.pt", epoch.state, config=config, splits=ring_splits)

    for stopped_after in (1, 4):
        torch.manual_seed(999)  # whatever happened in between
        resumed, later = run(ring_splits, config, resume=tmp_path / f"{stopped_after}.pt")
        assert [e.epoch for e in later] == list(range(stopped_after + 1, 7))
        assert [e.train_loss for e in later] == [e.train_loss for e in epochs[stopped_after:]]
        assert [e.valid for e in later] == [e.valid for e in epochs[stopped_after:]]
        assert later[-1].best_epoch == epochs[-1].best_epoch
        for name, value in whole.state_dict().items():
            assert torch.equal(value, resumed.state_dict()[name]), name


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(ring_splits):
    first, again, other = (
        run(ring_splits, Config.from_flat({**SMALL, "epochs": 2, "seed": seed}))[0].b.weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_training_stops_at_the_miss_after_stopping_step_and_keeps_the_best_weights(ring_splits):
    # validated on the ring run backwards, a model gets worse the more it learns
    backwards = dataclasses.replace(ring_splits.valid.sessions, items=ring_splits.valid.sessions.items[::-1])
    ring_splits = dataclasses.replace(ring_splits, valid=Examples.every_prefix(backwards))
    config = Config.from_flat({**SMALL, "epochs": 50, "stopping_step": 2})
    model, epochs = run(ring_splits, config)
    last = epochs[-1]
    assert last.stopped_early
    assert last.epoch == last.best_epoch + 3
    assert not any(epoch.stopped_early for epoch in epochs[:-1])
    assert evaluate(model, ring_splits.valid, config.evaluation, max_length=6) == last.best


def test_a_step_loss_of_ones_own_takes_the_place_of_that_of_loss_type(ring_splits):
    config = Config.from_flat({**SMALL, "epochs": 2})
    as_named = build_step_loss(config.training, ring_splits.train, ring_splits.n_items)
    _, usual = run(ring_splits, config)
    _, twice = run(ring_splits, config, step_loss=lambda model, batch: 2 * as_named(model, batch))
    assert twice[0].train_loss == pytest.approx(2 * usual[0].train_loss, rel=0.05)  # Adam hardly sees the factor


def test_epochs_that_divide_a_pass_train_every_target_once_together(ring_splits):
    config = Config.from_flat({**SMALL, "epochs": 6, "epochs_per_pass": 3, "learning_rate_decay": 0.5})
    _, epochs = run(ring_splits, config)
    counts = [epoch.n_targets for epoch in epochs]
    assert sum(counts[:3]) == sum(counts[3:]) == len(ring_splits.train)
    assert max(counts) < 0.5 * len(ring_splits.train)
    rates = epochs[-1].state.optimizer.param_groups[0]["lr"]
    assert rates == config.training.learning_rate / 2  # the decay counts passes


def test_a_pass_cannot_be_divided_further_than_there_are_sessions(ring_splits):
    with pytest.raises(InputError, match="epochs_per_pass: 9999 parts"):
        run(ring_splits, Config.from_flat({**SMALL, "epochs_per_pass": 9999}))


def test_validation_only_every_eval_step(ring_splits):
    _, epochs = run(ring_splits, Config.from_flat({**SMALL, "eval_step": 2}))
    assert [epoch.valid is not None for epoch in epochs] == [False, True] * 3


def test_no_validation_at_all_with_eval_step_0(ring_splits):
    _, epochs = run(ring_splits, Config.from_flat({**SMALL, "eval_step": 0}))
    assert len(epochs) == 6
    assert epochs[-1].best_epoch == 0


def test_a_non_finite_loss_names_the_epoch_and_the_configuration(ring_splits):
    config = Config.from_flat({**SMALL, "hidden_size": 13})
    model = create_model(20, config)
    with torch.no_grad():
        model.b.weight[0, 0] = torch.nan
    with pytest.raises(NonFiniteLoss, match=r"nan in epoch 1 of .*hidden_size=13"):
        next(iter(fit(model, ring_splits, config.training, config.evaluation, device="cpu")))


def test_a_checkpoint_of_another_run_is_refused(ring_splits, tmp_path):
    config = Config.from_flat({**SMALL, "epochs": 1})
    path = tmp_path / "run.pt"
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(path, epoch.state, config=config, splits=ring_splits)
    with pytest.raises(InputError, match=r"learning_rate 0\.01, not 0\.02"):
        run(ring_splits, config.replace({"learning_rate": 0.02}), resume=path)
    (tmp_path / "torn.pt").write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="not a readable checkpoint"):
        run(ring_splits, config, resume=tmp_path / "torn.pt")
    with pytest.raises(InputError, match="no such checkpoint"):
        run(ring_splits, config, resume=tmp_path / "none.pt")


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_schedule_that_ends_with_the_last_epoch_goes_on_to_no_other(ring_splits, schedule, tmp_path):
    config = Config.from_flat({**SMALL, "learning_rate_schedule": schedule, "epochs": 3})
    epoch = next(fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"))
    save_checkpoint(tmp_path / "1.pt", epoch.state, config=config, splits=ring_splits)
    with pytest.raises(InputError, match="was trained with epochs 3, not 5; resume with the same"):
        run(ring_splits, config.replace({"epochs": 5}), resume=tmp_path / "1.pt")


def test_the_average_is_validated_saved_and_returned(ring_splits, tmp_path):
    config = Config.from_flat({**SMALL, "averaging_passes": 2.0, "epochs": 4})
    model = create_model(20, config)
    for epoch in fit(model, ring_splits, config.training, config.evaluation, device="cpu"):
        averaged, raw = (
            evaluate(of, ring_splits.valid, config.evaluation, max_length=ring_splits.max_length)
            for of in (epoch.state.evaluated, epoch.state.model)
        )
        assert epoch.valid == averaged != raw
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    assert evaluate(model, ring_splits.valid, config.evaluation, max_length=ring_splits.max_length) == epoch.best
    loaded = load_model(tmp_path / "run.pt")
    assert evaluate(loaded, ring_splits.valid, config.evaluation, max_length=ring_splits.max_length) == epoch.best


def test_without_validation_the_average_is_what_is_shipped(ring_splits, tmp_path):
    config = Config.from_flat({**SMALL, "averaging_passes": 2.0, "epochs": 2, "eval_step": 0})
    model = create_model(20, config)
    for epoch in fit(model, ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    save_for_use(tmp_path / "run.pt", tmp_path / "model.pt")
    expected = epoch.state.average.model.state_dict()
    for weights in (model.state_dict(), *(load_model(tmp_path / f).state_dict() for f in ("run.pt", "model.pt"))):
        torch.testing.assert_close(weights, expected, rtol=0, atol=0)


def test_a_run_inherits_weights_and_keeps_its_own_temperature(ring_splits, tmp_path):
    config = Config.from_flat({**SMALL, "scoring": "cosine", "temperature": 0.1})
    epoch = next(fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"))
    save_checkpoint(tmp_path / "1.pt", epoch.state, config=config, splits=ring_splits)
    other = config.replace({"temperature": 0.2, "learning_rate": 1e-9})
    model = create_model(20, other)
    next(fit(model, ring_splits, other.training, other.evaluation, device="cpu", inherit=tmp_path / "1.pt"))
    assert model.scoring.log_temperature.exp().item() == pytest.approx(0.2)
    torch.testing.assert_close(model.b.weight, epoch.state.model.b.weight)


def test_training_never_reads_the_test_split(ring_splits):
    blind = dataclasses.replace(ring_splits, test=None)
    _, epochs = run(blind, Config.from_flat({**SMALL, "epochs": 1}))
    assert epochs[-1].valid


def test_without_validation_targets_eval_step_must_be_0(ring_splits):
    unvalidated = dataclasses.replace(
        ring_splits, valid=Examples(ring_splits.valid.sessions, ring_splits.valid.targets[:0])
    )
    with pytest.raises(InputError, match="eval_step"):
        run(unvalidated, Config.from_flat({**SMALL, "epochs": 1}))
    _, epochs = run(unvalidated, Config.from_flat({**SMALL, "epochs": 1, "eval_step": 0}))
    assert epochs[-1].valid is None


def test_scores_that_are_not_finite_at_validation_name_the_epoch_too(ring_splits, monkeypatch):
    def diverged(*_: object, **__: object) -> dict[str, float]:
        raise FloatingPointError("scores are NaN")

    monkeypatch.setattr("narm.training.evaluate", diverged)
    with pytest.raises(NonFiniteLoss, match="scores are NaN, in epoch 1 of "):
        run(ring_splits, Config.from_flat({**SMALL, "epochs": 1}))


def test_a_pulse_says_how_far_an_epoch_is_and_changes_nothing(ring_splits):
    config = Config.from_flat({**SMALL, "epochs": 2, "train_batch_size": 100})
    told = []
    with_pulse, watched = run(ring_splits, config, pulse=Pulse(told.append, every=0.0))
    without, epochs = run(ring_splits, config)
    assert [epoch.train_loss for epoch in watched] == [epoch.train_loss for epoch in epochs]
    assert all(torch.equal(one, with_pulse.state_dict()[name]) for name, one in without.state_dict().items())
    of_first = [each.n_targets for each in told if each.epoch == 1]
    assert of_first == sorted(of_first)
    assert len(of_first) > 2
    assert {each.expected for each in told} == {of_first[-1]} == {epochs[0].n_targets}
