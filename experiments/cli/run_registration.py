"""Registers the model that a study recommends as MLflow's champion."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from experiments.cli.exit_status import EXIT_NOT_REGISTERED
from experiments.cli.flags import study_place
from experiments.cli.run_sync import outbox_of
from experiments.tracking.mlflow_writer import STUDY_RUN, MlflowWriter
from experiments.tracking.moved import Place
from experiments.tracking.outbox import Outbox
from experiments.tracking.registry import registration_of
from experiments.tracking.root_cause import root_cause
from experiments.tracking.update import Update
from experiments.tuning.study.folder import SUMMARY, WINNER
from experiments.tuning.study.saved_study import recorded_uri
from experiments.tuning.study.setting_rules import CHAMPION
from experiments.tuning.study.summary import read_summary
from experiments.tuning.worker.addresses import absolute_tracking_uri, mask_credentials
from narm.errors import InputError


def run_registration(given: argparse.Namespace) -> int:
    """Register a model.

    Args:
        given: a command line, as `experiments.register` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: no such study, one without a winner or that says to keep another model, or one that a search is
            writing.
    """
    study, output = study_place(given.study, given.output)
    folder = output / study
    summary, checkpoint = read_summary(folder / SUMMARY), folder / WINNER
    if not checkpoint.is_file():
        raise InputError(
            f"{checkpoint}: no such file: the search has not come to its end, or somebody has removed it; "
            f"python -m experiments.search --resume {study} writes it"
        )
    if summary.keep is not None:
        raise InputError(f"study '{study}' says to keep {summary.keep}: it has no model to register")
    outbox = outbox_of(study, output)
    uri = absolute_tracking_uri(given.tracking_uri or recorded_uri(study, output, given.storage))
    registration = registration_of(summary, checkpoint, alias=CHAMPION)
    update = Update(run=STUDY_RUN, registration=asdict(registration))
    held = Outbox(outbox, {}, receiver=mask_credentials(uri))  # no search goes on meanwhile
    try:
        MlflowWriter(uri, held.header, Place.of(held.header, held.path)).send([update])
    except Exception as error:  # whatever the client raises
        print(f"error: MLflow at {mask_credentials(uri)} did not take it: {root_cause(error)}", file=sys.stderr)
        return EXIT_NOT_REGISTERED
    finally:
        held.close()
    print(f"models:/{registration.name}@{CHAMPION}")
    return 0
