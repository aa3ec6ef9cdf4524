"""`python -m experiments.train`: train one model, validate it after every epoch, test the best one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.flags import add_model, add_options
from experiments.cli.output import add_output_flags
from experiments.cli.parser import Parser
from experiments.cli.running import run_command
from narm.machine.device import DEVICES

EPILOG = """\
Any option of the model may be given: --learning_rate 5e-4 --n_layers 2 (see --help-options).
The command line wins over the config file, that over the defaults.

examples:
  python -m experiments.train --dataset ml-100k
  python -m experiments.train --dataset clicks.csv --loss_type BPR --train_neg_sample_args "{'sample_num': 4}"
  python -m experiments.train --dataset clicks.csv --model v_sknn --k_neighbors 200
  python -m experiments.train --checkpoint narm.pt --resume --json result.json

exit status: 0; 2 wrong usage, configuration or data; 3 the loss became infinite or NaN; 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a model.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_training import run_training

    return run_training(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(prog="python -m experiments.train", description="Train and test one model.", epilog=EPILOG)
    group = parser.add_argument_group("the run")
    add_model(group)
    group.add_argument("--config", metavar="FILE", help="options as YAML, in our names or RecBole's")
    group.add_argument("--checkpoint", metavar="FILE", help="save the run here after every epoch")
    group.add_argument("--resume", action="store_true", help="go on from --checkpoint, bit for bit")
    group.add_argument("--device", default="auto", metavar="NAME", help=f"{', '.join(DEVICES)} (default: auto)")
    group.add_argument("--threads", type=int, metavar="N", help="threads (default: the cores)")
    add_output_flags(parser, result="options, every epoch and test metrics")
    add_options(parser, skip=("model",))
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
