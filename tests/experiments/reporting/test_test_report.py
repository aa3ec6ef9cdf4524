"""A judgement as it is printed."""

from __future__ import annotations

import re

import pytest
import torch
from rich.console import Console

from experiments.reporting.test_report import print_judgement
from narm.config import EvaluationConfig, ModelConfig
from narm.evaluation.test_report import TestReport, report_on_test
from narm.model import NARM


@pytest.fixture
def judgement(ring_splits) -> TestReport:
    torch.manual_seed(0)
    model = NARM(20, ModelConfig(embedding_size=6, hidden_size=7))
    return report_on_test(model, ring_splits, EvaluationConfig(sampled_negatives=7), seed=0)


def test_all_metrics_have_intervals_and_the_slices_stand_below(judgement):
    console = Console(width=100)
    with console.capture() as captured:
        print_judgement(judgement, console, heading="test, epoch 3", objective="MRR@10")
    lines = captured.get().splitlines()
    targets = judgement.overall.n_targets
    assert lines[0] == f"test, epoch 3: {targets:,} targets of 20 sessions, with 95 % intervals"
    low, high = judgement.overall.intervals["ndcg_at_10"]
    assert f"NDCG@10 {judgement.metrics['ndcg_at_10']:.4f} [{low:.4f}, {high:.4f}]" in lines[1]
    assert "popularity bias@10" in lines[2]
    assert re.search(r"not comparable, .*MRR@10_sampled_7 0\.\d{4},", lines[3])
    table = "\n".join(lines[4:])
    for word in ("session length", "position", "popularity", "MRR@10", "Recall@10", "6-10", "tail"):
        assert word in table
    one = next(each for each in judgement.slices if each.by == "position" and each.name == "1")
    assert f"{one.metrics['mrr_at_10']:.4f} [{one.intervals['mrr_at_10'][0]:.4f}" in table


@pytest.mark.parametrize("width", [40, 60, 80])
def test_each_slice_keeps_its_name_its_targets_and_its_values_in_a_narrow_terminal(judgement, width):
    console = Console(width=width)
    with console.capture() as captured:
        print_judgement(judgement, console, heading="test", objective="MRR@10")
    shown = captured.get()
    table = shown[shown.rindex("targets") :]
    assert "…" not in table
    rows = [line.split() for line in table.splitlines()]
    for each in judgement.slices:
        numbers = [f"{each.n_targets:,}", f"{each.metrics['mrr_at_10']:.4f}", f"{each.metrics['recall_at_10']:.4f}"]
        assert any([word for word in row if word in numbers] == numbers for row in rows)
        assert each.by.split()[0] in table
        assert each.name in table


def test_a_quiet_console_prints_nothing(judgement, capsys):
    print_judgement(judgement, Console(quiet=True), heading="test", objective="MRR@10")
    assert capsys.readouterr().out == ""
