"""A session is the mean of its items' factors, in every layout."""

from __future__ import annotations

import torch

from narm.baselines.bpr_mf import BPRMF
from narm.config import Config, ModelConfig
from narm.data.packing import pack
from narm.data.windows import cut_windows
from narm.training import create_model


def test_a_session_is_the_mean_of_its_items(ring_splits):
    model = BPRMF(20, ModelConfig(embedding_size=5))
    windows = cut_windows(ring_splits.valid, 6, stride=1)
    batch = pack(windows, torch.randperm(len(windows)).numpy())
    encoded = model.encode(batch.items, batch.layout)
    for query, example in enumerate(batch.examples):
        prefix = ring_splits.valid.prefix(int(example), 6)
        mean = model.item_embedding.weight[torch.from_numpy(prefix).long()].mean(dim=0)
        torch.testing.assert_close(encoded[query], mean)


def test_the_loss_is_always_bpr():
    config = Config.from_flat(model="bpr_mf", loss_type="CE", train_neg_sample_args={"sample_num": 3})
    assert config.training.loss_type == "BPR"
    assert config.replace(config.flat()) == config
    assert isinstance(create_model(9, config), BPRMF)
