"""Every row of the tables in docs/migrate-from-recbole.md, by doing what it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.cli.commands import COMMANDS
from experiments.cli.flags import given_options
from experiments.cli.search_arguments import build_spec
from experiments.tuning.study.folder import PAGE as REPORT
from experiments.tuning.study.spec import StudySpec
from narm import Config, Recommender, create_model, load_model, load_splits, save_checkpoint
from narm.config import OPTIONS, DataConfig, ModelConfig
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import NAMED
from narm.errors import InputError
from narm.model import NARM
from narm.recbole_keys import RECBOLE_KEYS, Fixed, Ignored
from narm.training import fit
from search_spaces.recbole import parse_hyper
from search_spaces.space import load_space

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
PAGE = (ROOT / "docs" / "migrate-from-recbole.md").read_text(encoding="utf-8")

Row = list[str]
Check = Callable[[Row, Path], None]


def table(heading: str) -> list[Row]:
    """The rows of the table below a heading, without its own."""
    section = re.split(rf"^#+ {re.escape(heading)}$", PAGE, flags=re.MULTILINE)[1]
    lines = re.split(r"^#+ ", section, flags=re.MULTILINE)[0].splitlines()
    rows = [re.split(r" *(?<!\\)\| *", line.strip("| ")) for line in lines if line.startswith("|")]
    width = lines[next(i for i, line in enumerate(lines) if line.startswith("|"))].count("|") - 1
    return [(row + [""] * width)[:width] for row in rows[2:]]


def code(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def only(cell: str) -> str:
    (found,) = code(cell)
    return found


def checks_of(heading: str, checks: dict[str, Check]) -> list[object]:
    """A parameter for each row, and one for each check whose row is gone."""
    rows = {" ".join(code(row[0])): row for row in table(heading)}
    names = [*rows, *(name for name in checks if name not in rows)]
    return [pytest.param(rows.get(name), checks.get(name), id=name) for name in names]


def run_check(row: Row | None, check: Check | None, tmp_path: Path) -> None:
    assert row is not None, "the row of this check is gone"
    assert check is not None, "a row without a check"
    check(row, tmp_path)


def parse(command: str) -> tuple[str, list[str]]:
    """Name and arguments of `python -m experiments.NAME ARGUMENTS`."""
    program, m, module, *arguments = shlex.split(command)
    assert (program, m) == ("python", "-m")
    return module.removeprefix("experiments."), arguments


def train_config(command: str) -> Config:
    name, arguments = parse(command)
    given = COMMANDS[name].parser().parse_args(arguments)
    assert name == "train"
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    return Config.from_flat({**file.values, **given_options(given)})


def search_spec(command: str) -> StudySpec:
    name, arguments = parse(command)
    assert name == "search"
    return build_spec(COMMANDS["search"].parser().parse_args(arguments), OptionsFile())


# Commands and calls


def same_defaults(row: Row, _: Path) -> None:
    recbole = json.loads((GOLDEN / "recbole_keys.json").read_text())
    recbole["train_neg_sample_args"] = None
    flat = train_config(only(row[1])).flat()
    assert flat["dataset"] == "ml-100k"
    known = [name for name in recbole if name in flat]
    assert len(known) > 15
    assert all(flat[name] == recbole[name] for name in known)


def config_dict(row: Row, _: Path) -> None:
    assert only(row[1]) == 'Config.from_flat({"learning_rate": 0.01})'
    assert Config.from_flat({"learning_rate": 0.01}).training.learning_rate == 0.01


def config_file(row: Row, folder: Path) -> None:
    (folder / "narm.yaml").write_text("hidden_size: 100\nUSER_ID_FIELD: visitor\n")
    config = train_config(only(row[1]))
    assert (config.model.hidden_size, config.data.session_column) == (100, "visitor")


def nothing_saved(row: Row, folder: Path) -> None:
    _, arguments = parse(only(row[1]))
    assert COMMANDS["train"].parser().parse_args(arguments).checkpoint is None


def flag_with_equals(row: Row, _: Path) -> None:
    assert train_config(only(row[1])).training.learning_rate == 0.01
    with pytest.raises(InputError):
        train_config("python -m experiments.train --learning_rate=__import__('os').getpid()")


def params_file(row: Row, folder: Path) -> None:
    (folder / "hyper.test").write_text((ROOT / "search_spaces" / "recbole.hyper").read_text())
    spec = search_spec(only(row[1]))
    assert spec.space.size == 30
    assert spec.objective == "MRR@10"


def max_evals(row: Row, _: Path) -> None:
    assert search_spec(only(row[1])).trials == 100


def early_stop(row: Row, _: Path) -> None:
    assert search_spec(only(row[1])).limits.plateau == 100


def output_file(row: Row, _: Path) -> None:
    _, arguments = parse(code(row[1])[0])
    assert COMMANDS["search"].parser().parse_args(arguments).json == "summary.json"


def display_file(row: Row, _: Path) -> None:
    name, arguments = parse(code(row[1])[0])
    assert name == "report"
    assert COMMANDS[name].parser().parse_args(arguments).study == "STUDY"
    assert code(row[2]) == [f"runs/STUDY/{REPORT}"]


def ray(row: Row, _: Path) -> None:
    _, arguments = parse(only(row[1]))
    assert COMMANDS["search"].parser().parse_args(arguments).concurrency == 4


def exhaustive(row: Row, _: Path) -> None:
    assert search_spec(only(row[1])).trials_possible == 30


def sampler(name: str) -> Check:
    def check(row: Row, _: Path) -> None:
        assert search_spec(only(row[1])).sampler == name

    return check


def tiny_checkpoint(folder: Path) -> Path:
    config = Config.from_flat(dataset="synthetic", epochs=1, hidden_size=8, embedding_size=8)
    splits = load_splits(config.data)
    (epoch,) = fit(create_model(splits.n_items, config), splits, config.training, config.evaluation)
    save_checkpoint(folder / "narm.pt", epoch.state, config=config, splits=splits)
    return folder / "narm.pt"


def load_model_and_data(row: Row, folder: Path) -> None:
    tiny_checkpoint(folder)
    assert only(row[1]) == 'load_model(Path("narm.pt"))'
    assert isinstance(load_model(Path("narm.pt")), NARM)


def scores(row: Row, _: Path) -> None:
    assert only(row[1]) == "model.scores(prefixes, lengths)"
    model = NARM(5, ModelConfig(hidden_size=4, embedding_size=4)).eval()
    assert model.scores(torch.tensor([[1, 2, 0]]), torch.tensor([2])).shape == (1, 5)


def topk(row: Row, folder: Path) -> None:
    tiny_checkpoint(folder)
    assert only(row[1]) == 'Recommender.load("narm.pt").recommend(sessions, k=10)'
    (found,) = Recommender.load("narm.pt").recommend([[1, 2, 3]], k=10)
    assert len(found.items) == 10


def resume(row: Row, _: Path) -> None:
    _, arguments = parse(only(row[1]))
    given = COMMANDS["train"].parser().parse_args(arguments)
    assert (given.checkpoint, given.resume) == ("narm.pt", True)


CALLS: dict[str, Check] = {
    "run_recbole(model='NARM', dataset='ml-100k')": same_defaults,
    "run_recbole(config_dict={'learning_rate': 0.01})": config_dict,
    "run_recbole(config_file_list=['narm.yaml'])": config_file,
    "run_recbole(saved=False)": nothing_saved,
    "python run_recbole.py --learning_rate=0.01": flag_with_equals,
    "python run_hyper.py --params_file=hyper.test": params_file,
    "python run_hyper.py --max_evals=100": max_evals,
    "python run_hyper.py --early_stop=10": early_stop,
    "python run_hyper.py --output_file=hyper.result": output_file,
    "python run_hyper.py --display_file=hyper.html": display_file,
    "python run_hyper.py --tool=Ray": ray,
    "HyperTuning(algo='exhaustive')": exhaustive,
    "HyperTuning(algo='random')": sampler("random"),
    "HyperTuning(algo='bayes')": sampler("tpe"),
    "load_data_and_model(model_file='NARM.pth')": load_model_and_data,
    "full_sort_scores(uid_series, model, test_data)": scores,
    "full_sort_topk(uid_series, model, test_data, k=10)": topk,
    "trainer.resume_checkpoint('NARM.pth')": resume,
}


@pytest.mark.parametrize(("row", "check"), checks_of("Commands and calls", CALLS))
def test_commands_and_calls(row, check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_check(row, check, tmp_path)


# Files

HEADER = "user_id:token\titem_id:token\ttimestamp:float\n"
EVENTS = [(user, item, 10 * user + item) for user in range(6) for item in range(1, 5)]


def write_events(file: Path, users: range = range(6)) -> None:
    lines = [f"u{user}\ti{item}\t{time}\n" for user, item, time in EVENTS if user in users]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEADER + "".join(lines))


def data_of(arguments: str) -> DataConfig:
    given = COMMANDS["train"].parser().parse_args(shlex.split(arguments))
    return Config.from_flat(given_options(given)).data


def inter(row: Row, folder: Path) -> None:
    write_events(folder / only(row[0]))
    splits = load_splits(data_of(code(row[1])[0]))
    assert (splits.n_items, len(splits.test)) == (5, 6)


def wheel(row: Row, _: Path) -> None:
    assert data_of(only(row[1])).dataset in NAMED


def other_tables(row: Row, folder: Path) -> None:
    config = DataConfig(dataset="shop.inter")
    write_events(folder / "shop.inter")
    alone = load_splits(config).fingerprint
    for name in code(row[0]):
        (folder / name).write_text("item_id:token\tprice:float\ni1\t2\n")
    assert load_splits(config).fingerprint == alone


def given_parts(row: Row, folder: Path) -> None:
    for name, users in zip(code(row[0]), (range(4), range(4, 5), range(5, 6)), strict=True):
        write_events(folder / name, users)
    folder.rename(folder.with_name("shop"))
    (by_folder,) = code(row[2])
    for arguments in (only(row[1]), f"--dataset {folder.with_name('shop')} {by_folder}"):
        splits = load_splits(data_of(arguments))
        assert [len(part.sessions) for part in (splits.train, splits.valid, splits.test)] == [4, 1, 1]


def yaml_file(row: Row, folder: Path) -> None:
    _, name = only(row[1]).split()
    (folder / name).write_text((GOLDEN / "recbole_keys_ml100k.json").read_text())
    assert read_config(Path(name)).notes


def hyper_file(row: Row, folder: Path) -> None:
    _, name = code(row[1])[0].split()
    for suffix in (".test", ".hyper"):
        (folder / name).with_suffix(suffix).write_text("n_layers choice [1,2]\n")
        assert load_space(str(Path(name).with_suffix(suffix))).size == 2


def state_dict(row: Row, _: Path) -> None:
    with np.load(GOLDEN / "narm_1_layer.npz") as recorded:
        state = {name[6:]: torch.from_numpy(recorded[name]) for name in recorded if name.startswith("state/")}
    NARM(30, ModelConfig(embedding_size=8, hidden_size=12)).load_state_dict(state, strict=True)


def no_copies(row: Row, folder: Path) -> None:
    write_events(folder / "shop.inter")
    load_splits(DataConfig(dataset="shop.inter"))
    assert [file.name for file in folder.iterdir()] == ["shop.inter"]


def mlflow_ui(row: Row, _: Path) -> None:
    place = search_spec("python -m experiments.search").tracking_uri
    assert place == only(row[1]).split()[-1].replace("runs/", f"{Path.cwd()}/runs/")


FILES: dict[str, Check] = {
    "dataset/shop/shop.inter": inter,
    "ml-100k": wheel,
    "shop.user shop.item shop.kg shop.link shop.net": other_tables,
    "shop.train.inter shop.valid.inter shop.test.inter": given_parts,
    "narm.yaml": yaml_file,
    "hyper.test": hyper_file,
    "saved/NARM-Jan-01-2026_00-00-00.pth": state_dict,
    "saved/shop-SequentialDataset.pth saved/shop-for-NARM-dataloader.pth": no_copies,
    "log/ log_tensorboard/ wandb/": mlflow_ui,
}


@pytest.mark.parametrize(("row", "check"), checks_of("Files", FILES))
def test_files(row, check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_check(row, check, tmp_path)


# Lines of a search file

LINES: dict[str, object] = {
    "learning_rate choice [0.01,0.005]": CategoricalDistribution([0.01, 0.005]),
    "dropout_probs choice ['[0.25,0.5]','[0.2,0.2]']": CategoricalDistribution(["[0.25,0.5]", "[0.2,0.2]"]),
    "weight_decay uniform 0,0.1": FloatDistribution(0, 0.1),
    "hidden_size quniform 32,256,32": IntDistribution(32, 256, step=32),
    "learning_rate loguniform -8,-4": FloatDistribution(np.exp(-8), np.exp(-4), log=True),
}


@pytest.mark.parametrize("row", table("Lines of a search file"), ids=lambda row: row[0])
def test_lines_of_a_search_file(row, tmp_path):
    line, twice = only(row[0]), row[0].endswith(" twice")
    file = tmp_path / "a.test"
    file.write_text(f"{line}\n" * (1 + twice))
    if row[1] == "refused":
        with pytest.raises(InputError, match=rf"{file}:[12]: "):
            load_space(str(file))
    else:
        assert row[1] == "the same"
        (parameter,) = parse_hyper(line, "a.test")
        assert parameter.distribution == LINES[line]


# Keys


def keys_of(heading: str) -> list[str]:
    return [key for row in table(heading) for key in code(row[0])]


def test_every_key_of_recbole_has_one_row():
    names = ("recbole_keys.json", "recbole_keys_ml100k.json")
    recbole = {key for name in names for key in json.loads((GOLDEN / name).read_text())}
    listed = [key for heading in ("The same key", "Another name", "One value", "No effect") for key in keys_of(heading)]
    assert len(listed) == len(set(listed))
    parts = {key.partition(".")[0] for key in listed}
    assert parts == recbole | set(RECBOLE_KEYS) | {"dataset", "model"}


@pytest.mark.parametrize("row", table("The same key"), ids=lambda row: row[0])
def test_the_same_key(row, tmp_path):
    name = only(row[0])
    assert OPTIONS[name].name == name
    default = OPTIONS.check(name, yaml.safe_load(only(row[2])))
    assert default == OPTIONS[name].default
    if not row[1]:
        return
    recbole = yaml.safe_load(only(row[1]))
    assert recbole == json.loads((GOLDEN / "recbole_keys.json").read_text())[name]
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps({name: recbole}))
    assert read_config(file).notes == []
    same = OPTIONS.check(name, recbole) == default
    assert same or row[3], "another default: say so"
    for spelled in code(row[3]):
        if spelled.startswith(("{", "[")) or spelled in ("null", "sampled_softmax"):
            file.write_text(f"{name}: {spelled}\n")
            read_config(file)


@pytest.mark.parametrize("row", table("Another name"), ids=lambda row: row[0])
def test_another_name(row, tmp_path):
    key, name = only(row[0]), only(row[1])
    assert OPTIONS.canonical(key) == name
    value = 7 if name == "max_item_list_length" else "column"
    file = tmp_path / "c.yaml"
    for spelling in (key, name):
        file.write_text(f"{spelling}: {value}\n")
        assert read_config(file).values == {name: value}
    recbole = json.loads((GOLDEN / "recbole_keys.json").read_text())[key]
    assert str(recbole) in code(row[2])


def test_columns_of_an_atomic_file_are_found_by_the_names_that_recbole_gives_them(tmp_path):
    write_events(tmp_path / "shop.inter")
    assert load_splits(DataConfig(dataset=str(tmp_path / "shop.inter"))).n_items == 5


@pytest.mark.parametrize("row", table("One value"), ids=lambda row: row[0])
def test_one_value(row, tmp_path):
    key, accepted = only(row[0]), yaml.safe_load(only(row[1]))
    outer, _, inner = key.partition(".")

    def read(value: object) -> OptionsFile:
        (tmp_path / "c.yaml").write_text(json.dumps({outer: {inner: value} if inner else value}))
        return read_config(tmp_path / "c.yaml")

    assert read(accepted).notes == []
    if not inner:
        assert isinstance(RECBOLE_KEYS[key], Fixed)
    with pytest.raises(InputError) as refused:
        read("another")
    assert str(refused.value).endswith(row[2])


@pytest.mark.parametrize("row", table("`eval_args` that are refused"), ids=lambda row: row[0][1:40])
def test_eval_args_that_are_refused_name_what_comes_nearest(row, tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(f"eval_args: {only(row[0])}\n")
    with pytest.raises(
        InputError, match=r"^.*c\.yaml:1: eval_args\.(split|mode): .* is not possible, only "
    ) as refused:
        read_config(file)
    instead = yaml.safe_load(only(row[1]))
    file.write_text(json.dumps(instead))
    options = read_config(file).values
    Config.from_flat(options)
    if len(options) == 3 or "sampled_negatives" in options:
        assert only(row[1]).strip("{}") in str(refused.value)
    else:
        assert row[2].split()[-1] in str(refused.value)


@pytest.mark.parametrize("row", table("No effect"), ids=lambda row: row[0][:40])
def test_no_effect(row, tmp_path):
    file = tmp_path / "c.yaml"
    for key in code(row[0]):
        assert isinstance(RECBOLE_KEYS[key], Ignored)
        file.write_text(json.dumps({key: "anything"}))
        found = read_config(file)
        assert found.values == {}
        assert found.notes == [f"{file}:1: {key} has no effect: {row[1]}"]


def test_the_page_says_how_many_items_ml_100k_has():
    recorded = json.loads((GOLDEN / "ml100k_split.json").read_text())
    assert f"{recorded['n_items']:,} for ml-100k" in PAGE
