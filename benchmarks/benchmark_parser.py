"""The flags of a benchmark, below its own documentation."""

from __future__ import annotations

import argparse


def benchmark_parser(documentation: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the module's documentation as it stands, commands and lists included."""
    return argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
