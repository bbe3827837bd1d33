"""Results of every kind as a data frame and as an Arrow table."""

import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import emopy
from emopy import Frame
from emopy.errors import InputError, MissingExtraError
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import open_table, to_arrow, to_frame
from emopy.result_table import row_columns


def test_an_arrow_table_is_what_reading_a_parquet_file_gives(clip, results, tmp_path):
    everything = [*clip, *results]
    with open_table(tmp_path / "a.parquet", STANDARD_EMOTIONS) as table:
        for result in everything:
            table.write(result)
    arrow = to_arrow(everything)
    assert arrow.equals(pq.read_table(tmp_path / "a.parquet"))
    assert arrow.schema.field("track").type == pa.int64()
    assert arrow.column("error").null_count == len(arrow) - 1


def test_an_arrow_table_and_a_data_frame_have_the_same_rows(clip, results):
    everything = [*clip, *results]
    frame, arrow = to_frame(everything), to_arrow(everything)
    assert arrow.column_names == list(frame.columns)
    pd.testing.assert_frame_equal(arrow.to_pandas().astype(frame.dtypes), frame)


@pytest.mark.parametrize("convert", [to_frame, to_arrow])
def test_any_iterable_of_results_is_accepted(convert, clip, results):
    everything = [*results, *clip]
    rows = len(convert(everything))
    assert rows > len(everything)
    assert len(convert(iter(everything))) == len(convert(tuple(everything))) == rows


@pytest.mark.parametrize("convert", [to_frame, to_arrow])
def test_results_with_their_frames_are_accepted(convert, clip):
    image = np.zeros((480, 640, 3), np.uint8)
    pairs = [(Frame(image, one.time_s, one.frame), one) for one in clip]
    assert convert(pairs).equals(convert(clip))


@pytest.mark.parametrize("convert", [to_frame, to_arrow])
def test_one_result_is_a_table_of_its_own(convert, results):
    for result in results:
        assert convert(result).equals(convert([result]))


@pytest.mark.parametrize("convert", [to_frame, to_arrow])
def test_no_results_have_the_columns_of_the_labels(convert):
    assert len(convert([])) == 0
    columns = convert([], STANDARD_EMOTIONS).columns
    assert len(columns) == len(row_columns(STANDARD_EMOTIONS))


@pytest.mark.parametrize("convert", [to_frame, to_arrow])
@pytest.mark.parametrize("given", [["a.jpg"], "a.jpg", None, 7, [("a.jpg", [])], [None]])
def test_what_is_no_result_is_refused(convert, given):
    with pytest.raises(InputError, match=r"`results` must be results of FERModel\. Received one"):
        convert(given)


@pytest.mark.parametrize("convert", [to_frame, to_arrow])
def test_other_labels_are_refused(convert, clip, shown):
    with pytest.raises(InputError, match="must have the labels"):
        convert([*clip, shown(9.0, {1: "joy"}, labels=("joy", "fear"))])


def test_without_pandas_there_are_still_arrow_tables(clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert len(to_arrow(clip)) >= len(clip)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"Arrow tables.*pip install 'emopy\[tables\]'"):
        to_arrow(clip)


def test_both_are_names_of_the_package(results):
    assert len(emopy.to_frame(results)) == len(emopy.to_arrow(results)) == 4
