"""Faces of images from a CSV file."""

import unicodedata

import numpy as np
import pytest

from emopy import Box, Face, FacePrediction, FailedInput, ImageResult
from emopy.errors import InputError
from emopy.faces import read_boxes
from emopy.present import open_table
from emopy.types import Prediction

HEADER = "source,left,top,right,bottom"


@pytest.fixture
def written(tmp_path):
    def written(text, **options):
        path = tmp_path / "boxes.csv"
        path.write_bytes(text.encode(**options))
        return path

    return written


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\na.jpg,1,2,3.5,4\nb/c.jpg,5,6,7,8\na.jpg,0,0,9,9\n",
        "source;left;top;right;bottom\na.jpg;1;2;3.5;4\nb/c.jpg;5;6;7;8\na.jpg;0;0;9;9",
        "Source\tTOP\tleft\tbottom\tright\na.jpg\t2\t1\t4\t3.5\nb/c.jpg\t6\t5\t8\t7\n"
        "a.jpg\t0\t0\t9\t9",
        "\ufeffsource,emotion,left,top,right,bottom,score\r\na.jpg,fear,1,2,3.5,4,0.5\r\n\r\n"
        "b/c.jpg,,5,6,7,8,\r\na.jpg,x,0,0,9,9,nan\r\n",
    ],
)
def test_a_table_has_the_faces_of_each_image_in_the_order_of_its_rows(written, text):
    table = read_boxes(written(text))
    assert len(table) == 2
    assert [face.box for face in table.faces_of("a.jpg")] == [Box(1, 2, 3.5, 4), Box(0, 0, 9, 9)]
    assert [face.score for face in table.faces_of("a.jpg")] == [1, 1]
    assert [face.box for face in table.faces_of("b/c.jpg")] == [Box(5, 6, 7, 8)]
    assert table.faces_of("c.jpg") == ()


@pytest.mark.parametrize("name", ["./a/é.jpg", "a\\é.jpg", unicodedata.normalize("NFD", "a/é.jpg")])
def test_names_are_compared_as_in_tables_of_groups(written, name):
    table = read_boxes(written(f"{HEADER}\na/é.jpg,1,2,3,4\n{name},2,2,3,4\n"))
    assert len(table) == 1
    assert len(table.faces_of(name)) == len(table.faces_of("a/é.jpg")) == 2
    assert table.others([name, "b.jpg"]) == []
    assert table.others(["é.jpg"]) == ["a/é.jpg"]


def test_the_table_that_results_are_written_to_can_be_read(tmp_path):
    """Also names that are quoted for spreadsheets, images without a face, and failed ones."""
    prediction = Prediction(("left", "happiness"), np.array([0.25, 0.75]))
    names = [
        "=1+1.jpg",
        "a,b\n.jpg",
        "-",
        "'=x.jpg",
        '"q".jpg',
        "bad\udcff.jpg",
        " ends with space ",
    ]
    boxes = [(1.5, 2.25, 30, 40), (-5, 3, 8, 99)]
    faces = tuple(FacePrediction(Face(Box(*edges), 0.5), prediction) for edges in boxes)
    with open_table(tmp_path / "results.csv", prediction.labels) as table:
        for name in names:
            table.write(ImageResult(name, (60, 80), faces))
        table.write(ImageResult("none.jpg", (60, 80)))
        table.write(FailedInput("failed.jpg", InputError("no image")))
    read = read_boxes(tmp_path / "results.csv")
    for name in names:
        assert [face.box for face in read.faces_of(name)] == [Box(*edges) for edges in boxes]
    assert read.faces_of("none.jpg") == read.faces_of("failed.jpg") == ()
    assert read.others([*names, "none.jpg"]) == ["failed.jpg"]


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "with an empty first line"),
        ("source,left,top,right\na,1,2,3\n", "must be a table with the columns source, left"),
        (f"{HEADER},left\na,1,2,3,4,5\n", "each once"),
        (f"{HEADER}\na,1,2,3\n", "5 columns in each row. Received 4 in line 2"),
        (f"{HEADER}\na,1,2,3,4\na,1,2,x,4\n", "numbers as left.*'1,2,x,4' in line 3"),
        (f"{HEADER}\na,1,2,,4\n", "leave all four empty"),
        (f"{HEADER}\na,1,2,1,4\n", "line 2 of .*: `Box` must have left < right"),
        (f"{HEADER}\na,1,2,nan,4\n", "finite edges"),
        (f'{HEADER}\n"a,1,2,3,4\n', "Received 1 in line 2"),
    ],
)
def test_a_table_without_boxes_is_refused_with_its_line(written, text, reason):
    with pytest.raises(InputError, match=reason) as caught:
        read_boxes(written(text))
    assert str(caught.value).startswith("`path` must")


def test_a_file_that_is_no_text_is_refused(written, tmp_path):
    with pytest.raises(InputError, match="`path` must be a CSV file in UTF-8"):
        read_boxes(written(f"{HEADER}\né,1,2,3,4\n", encoding="latin-1"))
    with pytest.raises(InputError, match=r"`path` must be a CSV file\. .*Check the path"):
        read_boxes(tmp_path / "none.csv")
