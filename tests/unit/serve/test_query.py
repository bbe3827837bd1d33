import math

import pytest

from emopy import FERModel
from emopy.errors import InputError
from emopy.serve.problems import ProblemDetails
from emopy.serve.query import check_query, choose_model, number, read_boxes
from emopy.types import Box


@pytest.mark.parametrize(
    "text, value",
    [("1", 1), ("-0.5", -0.5), ("+.5", 0.5), ("1.", 1), ("2e3", 2000), ("1E-999", 0), ("007", 7)],
)
def test_numbers_are_read(text, value):
    assert number({"a": text}, "a") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "inf",
        "1e999",
        "-1e999",
        "0x1",
        "1_0",
        "1,5",
        "١",
        "1 ",
        "1" * 41,
        "--1",
        ".",
    ],
)
def test_what_is_no_finite_number_is_refused(text):
    with pytest.raises(InputError, match=r"`a` must be a number. Received"):
        number({"a": text}, "a")


def test_boxes_are_read():
    assert read_boxes({}) is None
    assert read_boxes({"boxes": ""}) == []
    assert read_boxes({"boxes": "1,2,3,4"}) == [Box(1, 2, 3, 4)]
    assert read_boxes({"boxes": "1,2,3,4; -1 , 0.5, 3e1 ,4"})[1] == Box(-1, 0.5, 30, 4)


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,4;", ";", "3,2,1,4",
                                  "0,0,0,0", f"0,0,{math.inf},1", "1;2;3;4"])  # fmt: skip
def test_boxes_that_are_none_are_422(text):
    with pytest.raises(ProblemDetails, match="boxes must be left,top,right,bottom") as problem:
        read_boxes({"boxes": text})
    assert problem.value.status == 422


def test_long_boxes_are_cut():
    with pytest.raises(ProblemDetails, match=r"Received '(1,2;){15}…'[.]$"):
        read_boxes({"boxes": "1,2;" * 400})


def test_names_are_known_and_stand_once():
    assert check_query([("a", "1"), ("b", "")], ("a", "b", "c")) == {"a": "1", "b": ""}
    for query, words in (
        ([("d", "1")], "known names only: a. Received 'd'."),
        ([("a", "1"), ("a", "1")], "a must stand once"),
        ([("a", "x" * 2001)], "a must have at most 2,000 characters. Received 2,001."),
        ([("b" * 999, "1")], "Received '" + "b" * 60 + "'"),
    ):
        with pytest.raises(ProblemDetails, match=words) as problem:
            check_query(query, ("a",))
        assert problem.value.status == 422


def test_many_boxes_are_read_and_a_path_without_parameters_says_so():
    text = ";".join(["100.123,200.456,300.789,400.123"] * 1000)
    assert len(read_boxes(check_query([("boxes", text)], ("boxes",)))) == 1000
    with pytest.raises(ProblemDetails, match=r"must be empty\. Received 'x'"):
        check_query([("x", "1")], ())


def test_a_model_is_made_only_where_the_query_asks_for_one():
    model = FERModel(["calm", "anger"], model="emopy-tiny", min_confidence=0.4)
    assert choose_model(model, {}) is model
    assert choose_model(model, {"boxes": ""}) is model
    assert choose_model(model, {"emotions": "all"}).labels != model.labels
    other = choose_model(model, {"prior": "uniform"})
    assert other.labels == model.labels
    assert other is not model
