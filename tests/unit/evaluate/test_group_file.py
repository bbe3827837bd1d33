import numpy as np
import pytest

from emopy.errors import DataError
from emopy.evaluate import read_groups


def table(tmp_path, text, *, encoding="utf-8"):
    path = tmp_path / "groups.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def three(faces):
    return faces.take([0, 1, 2])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_are_matched_by_origin_in_any_order(tmp_path, three, delimiter):
    rows = ["group,origin", "b,row 2", "a,row 0", ",row 1", "c,row 77"]
    path = table(tmp_path, "\n".join(rows).replace(",", delimiter))
    assert read_groups(path, three).tolist() == ["a", "", "b"]


def test_without_origins_the_order_of_the_data_counts(tmp_path, three):
    path = table(tmp_path, "\ufeffName, Group \r\nx,a\r\n\r\ny, b\r\nz,a\r\n")
    groups = read_groups(path, three)
    assert groups.tolist() == ["a", "b", "a"]
    assert groups.dtype.kind == "U"


def test_another_number_of_rows_without_origins_is_refused(tmp_path, three):
    with pytest.raises(DataError, match=r"each of the 3 faces.*Received 2 rows"):
        read_groups(table(tmp_path, "group\na\nb\n"), three)


def test_a_face_without_a_row_is_named(tmp_path, three):
    with pytest.raises(DataError, match=r"lacks 2 of 3, the first 'row 1'"):
        read_groups(table(tmp_path, "origin,group\nrow 0,a\n"), three)


def test_two_groups_for_one_face_are_refused(tmp_path, three):
    with pytest.raises(DataError, match="both 'a' and 'b'"):
        read_groups(table(tmp_path, "origin,group\nrow 0,a\nrow 0,b\n"), three)


def test_a_file_that_names_no_group_column_is_refused(tmp_path, three):
    with pytest.raises(DataError, match=r"columns origin, gruop"):
        read_groups(table(tmp_path, "origin,gruop\nrow 0,a\n"), three)
    with pytest.raises(DataError, match="empty file"):
        read_groups(table(tmp_path, ""), three)


def test_a_row_of_another_length_is_named(tmp_path, three):
    with pytest.raises(DataError, match=r"2 columns in each row. Received 1 in row 3"):
        read_groups(table(tmp_path, "origin,group\nrow 0,a\nrow 1\n"), three)


def test_files_that_cannot_be_read_are_named(tmp_path, three):
    with pytest.raises(DataError, match=r"nowhere.csv: No such file"):
        read_groups(tmp_path / "nowhere.csv", three)
    with pytest.raises(DataError, match="UTF-8"):
        read_groups(table(tmp_path, "group\nMädchen\n", encoding="latin-1"), three)


def test_origins_that_repeat_in_the_data_share_their_row(tmp_path, three):
    twice = three.take([0, 0])
    path = table(tmp_path, "origin,group\nrow 0,a\nrow 0,a\n")
    assert np.array_equal(read_groups(path, twice), ["a", "a"])
