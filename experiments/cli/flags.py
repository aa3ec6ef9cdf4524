"""Flags that several commands share: a flag for every option, `--model`, and where the studies are.

A command's module imports at its top what its parser needs, and in its `main`, once the command line is read, what
computes: torch, Ray and Optuna take seconds, and `--help` needs none of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from experiments.cli.parser import Group, Parser
from experiments.tuning.study.folder import DEFAULT_OUTPUT
from narm.config import OPTIONS, SECTIONS
from narm.model_options import check_used
from narm.models import MODELS, ModelName
from narm.options import Option

STUDY_HELP = "its name, or its folder"


def add_studies_folder(parser: Parser | Group) -> None:
    """Add `--output`."""
    parser.add_argument(
        "--output", default=DEFAULT_OUTPUT, metavar="DIR", help=f"folder of all studies (default: ./{DEFAULT_OUTPUT})"
    )


def add_study_places(parser: Parser) -> None:
    """Add `--output` and `--storage`: where the studies are."""
    add_studies_folder(parser)
    parser.add_argument("--storage", metavar="URL", help="Optuna's database (default: SQLite in that folder)")


def study_place(study: str, output: str) -> tuple[str, Path]:
    """Name of a study, and the folder of all studies that it is in.

    Args:
        study: its name; or its folder, `runs/my-study/`, as the completion of a shell gives it, which says both.
        output: folder of all studies, for a name.
    """
    folder = Path(study)
    if folder.name in ("", ".."):  # `.`, from inside the folder
        folder = folder.resolve()
    if folder.name == study:
        return study, Path(output)
    return folder.name, folder.parent


def add_options(parser: Parser, *sections: str, skip: Iterable[str] = ()) -> None:
    """Add a flag for every option of these sections (all by default), listed by `--help-options`.

    Args:
        parser: gets the flags.
        sections: names among `narm.config.SECTIONS`.
        skip: options that have a flag already.
    """
    skip = set(skip)
    shown = [o for o in OPTIONS.values() if o.section in (sections or SECTIONS) and o.name not in skip]
    groups = {section: parser.add_option_group(section) for section in sections or SECTIONS}
    for option in shown:
        help_text = option.description.replace("%", "%%")
        flag = f"--{option.name}"
        groups[option.section].add_argument(flag, default=argparse.SUPPRESS, metavar="VALUE", help=help_text)
    parser.add_argument(
        "--help-options", action=_ListOptions, shown=shown, help="list every option of every model and exit"
    )


def given_options(namespace: argparse.Namespace) -> dict[str, object]:
    """The options that were given on the command line, as text; no others."""
    return {name: value for name, value in vars(namespace).items() if name in OPTIONS and value is not None}


def add_model(parser: Parser | Group) -> None:
    """Add `--model`."""
    parser.add_argument("--model", metavar="NAME", help=f"{', '.join(MODELS)} (default: narm)")


def chosen_model(flags: Mapping[str, object], *others: Mapping[str, object]) -> ModelName:
    """The model that the flags name, or else the first of other places that does; NARM by default.

    Args:
        flags: options of the command line.
        others: options of other places, the first of which wins.
    Raises:
        InputError: there is no such model, or it does not use an option of the command line.
    """
    named = next((values["model"] for values in (flags, *others) if "model" in values), OPTIONS["model"].default)
    model = cast("ModelName", OPTIONS.check("model", named))
    check_used(model, flags)
    return model


class _ListOptions(argparse.Action):
    """Prints every option with its meaning, default and reason."""

    def __init__(self, option_strings: Sequence[str], dest: str, shown: Sequence[Option], help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help, default=argparse.SUPPRESS)
        self._shown = shown

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        section = None
        for option in self._shown:
            if option.section != section:
                print(f"{option.section}:")
                section = option.section
            print(_describe(option))
        parser.exit()


def _describe(option: Option) -> str:
    default = "none" if option.default is None else str(option.default)
    reason = f"; {option.reason}" if option.reason else ""
    return f"  --{option.name}\n      {option.description} (default: {default}{reason})"
