"""The flags of `experiments.search`. Those of settings come from the fields of the spec."""

from __future__ import annotations

from experiments.cli.flags import add_model, add_options, add_studies_folder
from experiments.cli.output import add_output_flags
from experiments.cli.parser import Group, Parser
from experiments.cli.presets import DEFAULT_PRESET, PRESETS, Preset
from experiments.tuning.study.setting import FlagGroup, settings
from experiments.tuning.study.spec import BEGINNING, HOW, WHAT, StudySpec

EPILOG = """\
presets:
{presets}

Any option of the model may be given too, and is then fixed for the search: --train_batch_size 512 (see --help-options).
The command line wins over the config file, that over the preset, that over the defaults; with --resume the study's own
settings take the place of preset and defaults.

examples:
  python -m experiments.search                                   ml-100k, RecBole's space, minutes
  python -m experiments.search --dataset clicks.csv --space mine.yaml --objective Recall@20 --trials 50
  python -m experiments.search --dataset clicks.csv --model v_sknn
  python -m experiments.search --dataset clicks.csv --space narm --trials 50 --plan
  python -m experiments.search --preset full --time-budget 2h --json > summary.json
  python -m experiments.search --resume ml-100k-recbole-20260102-030405 --trials 40

exit status: 0; 2 wrong usage, configuration or data; 3 every trial failed; 130 interrupted, --resume goes on
"""


def build_parser() -> Parser:
    """Every flag. Those of settings have no default here: a study to resume or a preset may answer."""
    presets = "\n".join(f"  {name:7}{_describe(preset)}" for name, preset in PRESETS.items())
    parser = Parser(
        prog="python -m experiments.search",
        description="Search the hyperparameters of NARM, or of a baseline, on a dataset.",
        epilog=EPILOG.format(presets=presets),
    )
    _add_what(parser.add_argument_group(WHAT.title))
    how = parser.add_argument_group(HOW.title)
    _add_settings(how, HOW)
    how.add_argument("--epochs", metavar="N", help="epochs of a trial at most")
    how.add_argument("--seed", metavar="N", help="seed of the study (default: 2020)")
    how.add_argument("--plan", action="store_true", help="only say what it would take, measured on a part of the data")
    _add_study(parser.add_argument_group("the study"))
    add_output_flags(parser, result="the summary")
    _add_beginning(parser.add_rare_group(BEGINNING.title))
    for group in dict.fromkeys(known.group for known in settings(StudySpec).values()):
        if group is not None and group.rare and group != BEGINNING:
            _add_settings(parser.add_rare_group(group.title), group)
    add_options(parser, skip=("dataset", "model", "valid_metric", "seed", "epochs"))
    return parser


def _add_settings(parser: Group, group: FlagGroup) -> None:
    """Add the flags of a group, each as its field of the spec has it."""
    for known in settings(StudySpec).values():
        if known.group != group:
            continue
        names, destination = known.flags, known.destination
        if known.metavar is None:
            parser.add_argument(*names, dest=destination, action="store_true", default=None, help=known.help)
        else:
            parser.add_argument(*names, dest=destination, type=known.kind, metavar=known.metavar, help=known.help)


def _add_what(group: Group) -> None:
    group.add_argument("--preset", default=DEFAULT_PRESET, metavar="NAME", help=f"{', '.join(PRESETS)} (see below)")
    group.add_argument("--dataset", metavar="FILE", help="events (.csv, .parquet, .inter), ml-100k, synthetic")
    add_model(group)
    _add_settings(group, WHAT)
    group.add_argument("--config", metavar="FILE", help="YAML of options; RecBole's keys are accepted")


def _add_study(group: Group) -> None:
    group.add_argument("--resume", metavar="STUDY", help="go on with a study, however it ended")
    group.add_argument("--study", metavar="NAME", help="a new name (default: dataset, space, time)")
    add_studies_folder(group)


def _add_beginning(group: Group) -> None:
    _add_settings(group, BEGINNING)
    group.add_argument(
        "--warm-start",
        action="append",
        default=[],
        metavar="STUDY[:k]",
        help="try the best k of an earlier study first",
    )
    group.add_argument("--enqueue", metavar="FILE", help="YAML file of configurations to try first")


def _describe(preset: Preset) -> str:
    limit = f", {preset.time_budget / 60:g} min" if preset.time_budget else ""
    size = f"{preset.trials} trials, {preset.epochs} epochs{limit}"
    return f"{preset.dataset}, space {preset.space}, {size}: {preset.purpose}"
