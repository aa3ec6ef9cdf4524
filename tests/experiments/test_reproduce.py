"""Published tables beside what we reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.cli import run_comparison
from experiments.cli.exit_status import EXIT_NO_RESULT
from experiments.cli.run_comparison import Compared
from experiments.reproduce import main
from narm.errors import InputError


def comparison_file(folder: Path, dataset: str = "diginetica", **recall: float) -> Path:
    rows = [
        {"model": model, "test": {"Recall@20": {"mean": value}, "MRR@20": {"mean": value / 3}}}
        for model, value in recall.items()
    ]
    path = folder / "comparison.json"
    path.write_text(json.dumps({"dataset": dataset, "rows": rows}), encoding="utf-8")
    return path


def test_an_earlier_comparison_stands_beside_the_published_figures(tmp_path, capsys):
    path = comparison_file(tmp_path, narm=0.52, pop=0.001)
    assert main(["sr-gnn", "--comparison", f"diginetica={path}"]) == 0
    said = capsys.readouterr().out
    assert "52.00" in said
    assert "+2.30" in said  # 52.00 - 49.70
    assert "We fall short of POP by 0.79 in Recall@20" in said


def test_a_dataset_that_is_not_there_is_told_where_to_get(capsys):
    assert main(["narm-2017"]) == 1
    assert "RecSys Challenge 2015" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("yoochoose=x.json", "is no DATASET=FILE, with a dataset of diginetica"),
        ("diginetica=none.json", "none.json: no such file"),
    ],
)
def test_a_wrong_comparison_is_refused(argument, message):
    with pytest.raises(InputError, match=message):
        main(["sr-gnn", "--comparison", argument])


def test_a_file_that_is_no_comparison_is_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="no comparison of Recall@20 and MRR@20"):
        main(["sr-gnn", "--comparison", f"diginetica={path}"])


def test_a_comparison_without_a_row_of_the_table_is_said_to_be_none(tmp_path, capsys):
    path = comparison_file(tmp_path, stan=0.5)
    assert main(["sr-gnn", "--comparison", f"diginetica={path}"]) == 0
    assert "No row of this table was measured: the comparison has stan." in capsys.readouterr().out


def test_a_comparison_on_other_data_is_refused(tmp_path):
    path = comparison_file(tmp_path, "yoochoose-100k", narm=0.5)
    with pytest.raises(InputError, match="is a comparison on yoochoose-100k, not on diginetica"):
        main(["sr-gnn", "--comparison", f"diginetica={path}"])


def test_what_is_no_option_of_a_comparison_is_refused_where_nothing_is_searched_too(tmp_path):
    with pytest.raises(InputError, match="--foo"):
        main(["sr-gnn", "--foo"])
    with pytest.raises(InputError, match=r"data: .* is no folder"):
        main(["sr-gnn", "--data", str(tmp_path / "none")])


def test_the_papers_targets_are_all_that_the_prepared_files_have(tmp_path, monkeypatch):
    (tmp_path / "diginetica").mkdir()
    asked = []
    nothing = Compared(comparison=None, folder=tmp_path, without_result=["narm", "pop"])
    monkeypatch.setattr(
        run_comparison, "search_and_compare", lambda models, options, **rest: asked.append(options) or nothing
    )
    assert main(["sr-gnn", "--data", str(tmp_path)]) == EXIT_NO_RESULT
    assert asked[0][:2] == ["--unknown_items", "keep"]
