"""Types of options that can be written in several ways: as YAML, in RecBole's spelling, in another case."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from narm.errors import InputError
from narm.metrics import METRICS, MetricName, parse_metric
from narm.models import MODELS, ModelName
from narm.options import not_boolean
from narm.text.duration import WANTED, parse_duration
from narm.text.literal import parse_literal, parse_tuple


def _as_max_norm(value: object) -> object:
    value = parse_literal(value)
    if isinstance(value, dict) and {"norm_type": 2, **value}.keys() == {"max_norm", "norm_type"}:
        return value["max_norm"] if value.get("norm_type", 2) == 2 else value  # RecBole's spelling
    return value


def _as_metric_name(value: object) -> object:
    """The metric in our spelling, for RecBole takes any case."""
    by_lower = {known.lower(): known for known in METRICS}
    return by_lower.get(value.lower(), value) if isinstance(value, str) else value


def _as_metric(value: str) -> str:
    name, cutoff = parse_metric(value)
    return f"{name}@{cutoff}"


def _as_model_name(value: object) -> object:
    """The model in our spelling: RecBole writes `NARM`, papers `V-SKNN`."""
    by_letters = {name.replace("_", ""): name for name in MODELS}
    letters = value.lower().replace("_", "").replace("-", "") if isinstance(value, str) else ""
    return by_letters.get(letters, value)


def _as_duration(value: str | None) -> str | None:
    try:
        if value is not None:
            parse_duration(value)
    except InputError:  # the message of a pydantic error names the option; this one's does not
        raise PydanticCustomError("duration", WANTED) from None
    return value


def _as_separator(value: object) -> object:
    """A backslash and a t, which shells and quoted YAML leave as they are, and which pandas reads as a tab."""
    return "\t" if value == r"\t" else value


Literally = BeforeValidator(parse_literal)
Listed = BeforeValidator(parse_tuple)
Probability = Annotated[float, Field(ge=0, lt=1), BeforeValidator(not_boolean)]
Cutoff = Annotated[int, Field(ge=1), BeforeValidator(not_boolean)]
DurationText = Annotated[str | None, Literally, AfterValidator(_as_duration)]
MaxNorm = Annotated[float | None, BeforeValidator(_as_max_norm)]
MetricText = Annotated[str, AfterValidator(_as_metric)]
MetricNames = Annotated[
    tuple[Annotated[MetricName, BeforeValidator(_as_metric_name)], ...], Field(min_length=1), Listed
]
Separator = Annotated[str, BeforeValidator(_as_separator)]
ModelText = Annotated[ModelName, BeforeValidator(_as_model_name)]
