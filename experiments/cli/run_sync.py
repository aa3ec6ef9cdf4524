"""Sends MLflow what the outbox of a study holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.cli.exit_status import EXIT_NOT_SENT
from experiments.cli.flags import study_place
from experiments.tracking.mlflow_writer import MlflowWriter
from experiments.tracking.moved import Place
from experiments.tracking.outbox import Outbox
from experiments.tracking.root_cause import root_cause
from experiments.tracking.update import Update
from experiments.tuning.study.folder import OUTBOX
from experiments.tuning.study.saved_study import recorded_uri, searched_by
from experiments.tuning.worker.addresses import absolute_tracking_uri, mask_credentials
from narm.errors import InputError
from narm.text.suggestion import did_you_mean


@dataclass(slots=True)
class Sent:
    """Counts what has arrived at the server."""

    updates: int = 0
    runs: set[str] = field(default_factory=set)

    def count(self, updates: Sequence[Update]) -> None:
        """Add what has arrived."""
        self.updates += len(updates)
        self.runs |= {update.run for update in updates}


def run_sync(given: argparse.Namespace) -> int:
    """Send what an outbox holds.

    Args:
        given: a command line, as `experiments.sync` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: no such study, or its search is still running.
    """
    study, output = study_place(given.study, given.output)
    path = outbox_of(study, output)
    uri = absolute_tracking_uri(given.tracking_uri or recorded_uri(searched_by(study, output), output, given.storage))
    receiver = mask_credentials(uri)
    outbox = Outbox(path, {}, receiver=receiver)
    writer = MlflowWriter(
        uri,
        outbox.header,
        Place.of(outbox.header, path),
        artifact_attempts=1,  # the person waiting for the result can call again
    )
    sent = Sent()
    try:
        if given.all:
            outbox.rewind()
        send(outbox, writer, sent)
    except Exception as error:  # whatever ails the server
        print(f"error: {receiver} does not take results ({root_cause(error)}): {path} keeps them", file=sys.stderr)
        return EXIT_NOT_SENT
    finally:
        outbox.close()
    print(_sentence(study, receiver, sent))
    if writer.n_given_up:
        print(f"error: MLflow did not take {writer.n_given_up} of them, see above", file=sys.stderr)
        return EXIT_NOT_SENT
    return 0


def send(outbox: Outbox, writer: MlflowWriter, sent: Sent) -> None:
    """Send all that waits.

    Args:
        outbox: what to send.
        writer: writes to the server.
        sent: is brought up to date.
    Raises:
        Exception: the server did not take it all.
    """
    while outbox.pending:
        updates, position = outbox.read()
        writer.send(updates)
        outbox.mark_sent(position)
        sent.count(updates)
    if sent.updates:
        writer.tidy()


def outbox_of(study: str, output: Path) -> Path:
    """The outbox of a study.

    Raises:
        InputError: no such study; the message suggests the closest name.
    """
    path = output / study / OUTBOX
    if not path.is_file():
        known = [found.parent.name for found in output.glob(f"*/{OUTBOX}")]
        hint = did_you_mean(study, known) if known else f"; {output} has no studies: name their folder with --output"
        raise InputError(f"study: there is no {path}{hint}")
    return path


def _sentence(study: str, receiver: str, sent: Sent) -> str:
    if not sent.updates:
        return f"{study}: nothing waits for {receiver} (--all sends everything again)"
    return f"{study}: {sent.updates} updates of {len(sent.runs)} runs sent to {receiver}"
