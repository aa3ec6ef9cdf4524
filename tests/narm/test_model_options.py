"""Which options a model uses, and what is said of one that it does not use."""

from __future__ import annotations

import pytest

from narm.config import OPTIONS, Config
from narm.config_file import OptionsFile
from narm.errors import InputError
from narm.model_options import check_used, searchable_options, used_options
from narm.models import MODELS


@pytest.mark.parametrize("text", ["V-SKNN", "v_sknn", "vsknn", "V_SKNN"])
def test_a_model_is_spelled_as_papers_do(text):
    assert Config.from_flat(model=text).model.model == "v_sknn"


def test_an_unknown_model_is_told_with_those_there_are():
    with pytest.raises(InputError, match="model: 'SASRec': input should be 'narm', 'global'"):
        Config.from_flat(model="SASRec")


def test_every_option_is_used_by_some_model():
    assert {name for model in MODELS for name in used_options(model)} == set(OPTIONS)


def test_an_option_that_a_model_does_not_use_is_an_error_that_names_those_it_does():
    check_used("s_knn", ["sample_size", "dataset", "topk", "seed", "model"])
    with pytest.raises(InputError, match=r"^hidden_size is no option of model s_knn; its options: k_neighbors, sam"):
        check_used("s_knn", ["sample_size", "hidden_size"])
    with pytest.raises(InputError, match="attention is no option of model global"):
        check_used("global", ["attention"])
    with pytest.raises(InputError, match=r"^epochs is no option of model pop; it has no options of its own$"):
        check_used("pop", ["epochs"])


def test_a_search_varies_what_the_model_uses():
    assert searchable_options("sr") == ("rule_steps", "rule_weighting")
    assert searchable_options("pop") == ()
    assert {"learning_rate", "embedding_size"} <= set(searchable_options("bpr_mf"))
    assert not {"loss_type", "hidden_size"} & set(searchable_options("bpr_mf"))


def test_a_config_file_may_serve_several_models(tmp_path):
    file = OptionsFile({"hidden_size": 5, "k_neighbors": 7, "topk": (3,)}, ["a note"], {"hidden_size": 4}, tmp_path)
    found = file.for_model("v_sknn")
    assert found.values == {"k_neighbors": 7, "topk": (3,)}
    assert found.notes == ["a note", f"{tmp_path}:4: hidden_size has no effect: v_sknn does not use it"]
