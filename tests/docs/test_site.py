"""The site: built without a warning, complete, and without anything from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from documentation.reference import describe_values
from experiments.cli.commands import COMMANDS
from narm.config import OPTIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site() -> Path:
    """In build/site, for a person to read."""
    config = load_config(str(ROOT / "mkdocs.yml"), strict=True)
    build(config)  # a warning aborts it
    return Path(config.site_dir)


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*\bsrc=[\"']?([^\"'\s>]+)", text)
        loaded += re.findall(r"<link[^>]*\brel=[\"']?(?:stylesheet|preconnect|icon)[^>]*?href=[\"']?([^\"'\s>]+)", text)
        assert loaded
        assert [url for url in loaded if re.match(r"(https?:)?//", url)] == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", style.read_text(encoding="utf-8")), style


def test_the_reference_has_every_option_and_command(site):
    described = (site / "reference/options/index.html").read_text(encoding="utf-8")
    assert [name for name in OPTIONS if f"<code>{name}</code>" not in described] == []
    listed = (site / "reference/commands/index.html").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f'id="{name}"' not in listed] == []
    assert "--max-retries" in listed  # the rarer flags too


def test_measured_results_keep_their_figures(site):
    assert (site / "benchmarks/epoch/index.html").exists()
    assert (site / "benchmarks/epoch.png").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hidden_size", "whole number, from 1 to 4,096"),
        ("learning_rate", "number, above 0 to 1"),
        ("gru_bias", "true or false"),
        ("attention", "`sum`, `softmax`"),
        ("dropout_probs", "2 values"),
        ("topk", "list"),
        ("test_file", "text or none"),
    ],
)
def test_values_are_described(name, words):
    assert describe_values(OPTIONS[name]) == words
