"""`python -m experiments.export`: write a trained model in a format that other programs run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.parser import Parser
from experiments.cli.running import run_command

EPILOG = """\
formats:
  onnx         ONNX: padded prefixes and their lengths to scores
  torch        the same as a torch.export program
  safetensors  the parameters alone, by RecBole's names

config.json and item_ids.json are written beside the model; docs/shipping.md shows how to run each.

examples:
  python -m experiments.export runs/STUDY/winner.pt --format onnx --output shipped
  python -m experiments.export narm.pt --format safetensors --output shipped

exit status: 0; 2 wrong usage, or no checkpoint
"""

EXPORT_NAMES = ("onnx", "torch", "safetensors")
"""Keys of `narm.export.FORMATS`, which imports torch: `--help` would take seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Export a model.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, or no checkpoint.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_export import run_export

    return run_export(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.export", description="Write a trained model in another format.", epilog=EPILOG
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a model that a search or experiments.train wrote")
    parser.add_argument("--format", required=True, metavar="|".join(EXPORT_NAMES), help="format to write")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the model and what describes it")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
