"""Leaves the report of a study in its folder: the page, and the figures as PNG."""

from __future__ import annotations

from pathlib import Path

from experiments.reporting.figures import figures
from experiments.reporting.images import images
from experiments.reporting.page import study_page
from experiments.tuning.study.folder import PAGE
from experiments.tuning.study.job_log import jobs_in
from experiments.tuning.study.saved_study import SavedStudy
from narm.machine.files import atomic_file, write_text


def write_page(saved: SavedStudy, path: Path) -> None:
    """Write the report of a study as one HTML file, atomically."""
    write_text(path, study_page(saved, figures(saved.study, saved.summary, jobs_in(saved.folder))))


def publish(saved: SavedStudy) -> dict[str, Path]:
    """Write the page and the PNGs into the study's folder.

    Returns:
        paths by the names that they have as artifacts: `report.html`, `figures/rungs.png`.
    """
    page = saved.folder / PAGE
    write_page(saved, page)
    published = {PAGE: page}
    for name, content in images(saved.study, saved.summary, jobs_in(saved.folder)).made.items():
        artifact = f"figures/{name}.png"
        published[artifact] = saved.folder / artifact
        with atomic_file(published[artifact]) as file:
            file.write(content)
    return published
