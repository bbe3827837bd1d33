from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import pytest

from emopy.errors import DataError, RecipeError
from emopy.settings import from_mapping, read_toml


@dataclass(frozen=True)
class Fit:
    epochs: int
    rate: float = 0.1
    flip: bool = False
    teacher: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    column: str | int = "label"
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    fit: Fit
    notes: Mapping[str, Any] = field(default_factory=dict)


class Layout(TypedDict, total=False):
    column: str | int
    size: tuple[int, int]


def test_values_arrive_in_the_annotated_types():
    raw = {
        "fit": {
            "epochs": 3,
            "rate": 1,
            "flip": True,
            "teacher": ["a", "b"],
            "size": [4, 5],
            "column": 2,
            "names": {"0": "anger"},
        },
        "notes": {"any": [1, None]},
    }
    made = from_mapping(Recipe, raw, "the recipe", RecipeError)
    assert made == Recipe(
        Fit(3, 1.0, True, ("a", "b"), (4, 5), 2, {"0": "anger"}), {"any": [1, None]}
    )
    assert type(made.fit.rate) is float


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"a": nested(25)},
            "`notes.a` in r.toml must not hold lists or sections nested more than 20",
        ),
        ({"a": {"b": nested(5000)}}, "`notes.a.b` in r.toml must not hold lists"),
        ({"a": 10**400}, "`notes.a` in r.toml must not hold a whole number of more than 64 bits"),
        ({"a": [{"b": -(10**5000)}]}, "`notes.a.b` in r.toml must not hold a whole number"),
        ({"a": "caf\udce9"}, "`notes.a` in r.toml must not hold text that is not UTF-8"),
        ({"caf\udce9": 1}, "`notes` in r.toml must not hold text that is not UTF-8"),
    ],
)
def test_values_that_cannot_be_converted_or_written_are_refused_under_any_key(values, message):
    with pytest.raises(RecipeError) as raised:
        from_mapping(Recipe, {"fit": {"epochs": 1}, "notes": values}, "r.toml", RecipeError)
    assert str(raised.value).startswith(message)
    assert str(raised.value).isprintable()


def test_values_as_large_and_as_deep_as_allowed_are_kept():
    notes = {"a": 2**63 - 1, "b": nested(17)}
    made = from_mapping(Recipe, {"fit": {"epochs": 1}, "notes": notes}, "r.toml", RecipeError)
    assert made.notes == notes


def test_a_long_value_is_cut_in_the_message():
    with pytest.raises(DataError, match=r"Received 'x+\.\.\.x+'\."):
        from_mapping(Fit, {"epochs": "x" * 5000}, "r.toml", DataError)


DAMAGED_TOML = {
    "deep": "a = " + "[" * 5000 + "]" * 5000,
    "digits": "a = " + "9" * 5000,
    "bytes": "a = '\udce9'",
    "cut": "a = ",
    "date": "a = 2024-99-99",
    "control": "a = '\0'",
    "table": "a = 1\n[a]\nb = 2",
}


@pytest.mark.parametrize("text", DAMAGED_TOML.values(), ids=DAMAGED_TOML)
@pytest.mark.parametrize("error", [DataError, RecipeError])
def test_a_file_that_is_no_toml_is_an_error_of_the_reader(tmp_path, text, error):
    path = tmp_path / "a.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(error, match=r"a\.toml must be TOML\. Received"):
        read_toml(path, error)
    with pytest.raises(error, match=r"must be a file that can be read"):
        read_toml(tmp_path, error)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, "Unknown key `fit.epoch` in r.toml. Did you mean 'epochs'?"),
        ({}, "`fit.epochs` must be given in r.toml. Received none."),
        ({"epochs": "3"}, "`fit.epochs` in r.toml must be a whole number. Received '3'."),
        ({"epochs": True}, "must be a whole number. Received True"),
        ({"epochs": 1.5}, "must be a whole number. Received 1.5"),
        ({"epochs": 1, "rate": "fast"}, "`fit.rate` in r.toml must be a finite number"),
        ({"epochs": 1, "rate": float("nan")}, "must be a finite number. Received nan"),
        ({"epochs": 1, "rate": True}, "must be a finite number. Received True"),
        ({"epochs": 1, "flip": 1}, "must be true or false. Received 1"),
        ({"epochs": 1, "teacher": "a, b"}, 'Type for example: teacher = ["a", "b"]'),
        ({"epochs": 1, "teacher": [1]}, "must be a list, each item a string. Received [1]"),
        ({"epochs": 1, "size": [1, 2, 3]}, "must be a list of 2 values, each a whole number"),
        ({"epochs": 1, "column": 1.5}, "must be a string or a whole number. Received 1.5"),
        ({"epochs": 1, "names": {"0": 1}}, "must be a mapping, each value a string"),
        ({"epochs": 1, "names": ["a"]}, "must be a mapping, each value a string"),
    ],
)
def test_a_wrong_key_or_value_is_refused_with_the_rule(values, message):
    with pytest.raises(RecipeError) as caught:
        from_mapping(Recipe, {"fit": values}, "r.toml", RecipeError)
    assert message in str(caught.value)


def test_a_section_that_is_no_mapping_is_refused():
    with pytest.raises(DataError, match=r"`fit` in r\.toml must be a mapping\. Received 3"):
        from_mapping(Recipe, {"fit": 3}, "r.toml", DataError)


def test_a_typed_dictionary_is_checked_like_a_dataclass():
    assert from_mapping(Layout, {"size": [1, 2]}, "f.toml", DataError) == {"size": (1, 2)}
    with pytest.raises(DataError, match=r"Unknown key `colum` in f\.toml"):
        from_mapping(Layout, {"colum": 1}, "f.toml", DataError)
