"""YAML as people write it: plain data, lines known, everything clever refused."""

import pytest

from narm.errors import InputError
from narm.text.yaml_file import parse_yaml


def test_values_come_with_the_lines_of_their_keys():
    document = parse_yaml("a: 1\n\nb:  # two\n  c: [x,\n    {d: null}]\n", "f.yaml")
    assert document.values == {"a": 1, "b": {"c": ["x", {"d": None}]}}
    assert [document.line(*keys) for keys in (("a",), ("b",), ("b", "c"), ("b", "c", 1, "d"))] == [1, 3, 4, 5]


def test_the_line_of_what_is_not_there_is_that_of_what_surrounds_it():
    document = parse_yaml("a: 1\nb: {c: 2}\n", "f.yaml")
    assert document.line("b", "x") == 2
    assert document.line("x") == 1


def test_errors_in_a_block_get_file_and_line():
    document = parse_yaml("a: 1\nb: 2\n", "f.yaml")
    with pytest.raises(InputError, match=r"^f\.yaml:2: too large$"), document.at("b"):
        raise InputError("too large")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("-2.5e-1", -0.25),
        (".5e2", 50.0),
        ("3.e1", 30.0),
        ("0.001", 0.001),
        ("128", 128),
        ("010", 10),
        ("1_000", 1000),
        ("0x20", 32),
        ("1:30", "1:30"),
        ("true", True),
        ("~", None),
        ("", None),
        ("'1e-3'", "1e-3"),
        ("e5", "e5"),
        ("1e", "1e"),
    ],
)
def test_scalars(text, value):
    found = parse_yaml(f"a: {text}", "f.yaml").values["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_document_is_an_empty_mapping(text):
    assert parse_yaml(text, "f.yaml").values == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3: 'a' a second time: it is already on line 1"),
        ("b:\n  c: 1\n  c: 2", "f.yaml:3: 'c' a second time: it is already on line 2"),
        ("a: 1\n2: 3", "f.yaml:2: a key must be text, not 2"),
        ("on: 3", "f.yaml:1: a key must be text, not True"),
        ("? [a]\n: 1", "f.yaml:1: a key must be text"),
        ("a: &x [1]\nb: *x", "f.yaml:2: not YAML: aliases (*name) are not accepted"),
        ("a: 1\n<<: {b: 1}", "f.yaml:2: plain data expected, not 'merge'"),
        ("a: !!python/object/apply:os.system [ls]", "f.yaml:1: plain data expected, not 'os.system'"),
        ("a: !!python/name:os.system ''", "f.yaml:1: plain data expected, not 'os.system'"),
        ("a: !!set {b}", "f.yaml:1: plain data expected, not 'set'"),
        ("a: 2020-13-45", "f.yaml:1: plain data expected, not 'timestamp': quote it if it is text"),
        ("a: !!int x", "f.yaml:1: 'x' is not a value of the type its tag names"),
        ("a: !!bool x", "f.yaml:1: 'x' is not a value of the type its tag names"),
        ("a: [1", "f.yaml:1: not YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("a:\n\tb: 1", "f.yaml:2: not YAML: while scanning for the next token, found character '\\t'"),
        ("a: b: c", "f.yaml:1: not YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2", "f.yaml:2: not YAML: expected a single document"),
        ("a: \x01", "f.yaml: not YAML: unacceptable character"),
        ("[" * 500, "f.yaml: nested too deeply"),
        ("- 1", "f.yaml:1: expected `name: value` lines"),
        ("\nhello", "f.yaml:2: expected `name: value` lines"),
    ],
)
def test_what_is_not_plain_data_is_refused_in_one_line(text, message):
    with pytest.raises(InputError) as error:
        parse_yaml(text, "f.yaml")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_tab_is_named_as_what_is_wrong():
    with pytest.raises(InputError, match=r"^f\.yaml:1: not YAML: .*: use spaces in place of tabs$"):
        parse_yaml("seed:\t3\n", "f.yaml")
