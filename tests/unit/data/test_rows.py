import numpy as np
import pytest

from emopy.data.rows import csv_rows, read_pixels


def rows_of(tmp_path, content, **options):
    path = tmp_path / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    skipped = []
    return list(csv_rows(path, skipped, **options)), skipped


def test_rows_come_with_their_line_and_blank_lines_are_left_out(tmp_path):
    rows, skipped = rows_of(tmp_path, 'a, b\n\n  \n1,"x, y"\r\n')
    assert rows == [(1, ["a", "b"]), (4, ["1", "x, y"])]
    assert not skipped


def test_a_quotation_mark_that_is_never_closed_spoils_its_own_row_only(tmp_path):
    rows, _ = rows_of(tmp_path, '1,"2 3\n4,5\n6,7\n')
    assert rows[1:] == [(2, ["4", "5"]), (3, ["6", "7"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_spreadsheets_are_understood(tmp_path, encoding):
    rows, _ = rows_of(tmp_path, "später;1\n".encode(encoding), delimiter=";")
    assert rows == [(1, ["später", "1"])]


def test_bytes_that_are_no_text_spoil_their_own_cell_only(tmp_path):
    rows, _ = rows_of(tmp_path, b"\xe4\xff,1\n2,3\n")
    assert rows[1] == (2, ["2", "3"])


def test_a_cell_without_end_is_listed_and_the_next_row_is_read(tmp_path):
    rows, skipped = rows_of(tmp_path, "1," + "9" * (2**24 + 1) + "\n2,3\n")
    assert rows == [(2, ["2", "3"])]
    assert [skipped_sample.line for skipped_sample in skipped] == [1]


def test_a_large_image_fits_into_a_cell(tmp_path):
    pixels = " ".join(["255"] * 300 * 300)
    ((_, cells),), skipped = rows_of(tmp_path, f"1,{pixels}\n")
    assert len(read_pixels(cells[1])) == 300 * 300
    assert not skipped


def test_pixels_are_read_as_they_are_written():
    numbers = np.random.default_rng(0).integers(0, 256, 2304)
    text = " ".join(map(str, numbers))
    np.testing.assert_array_equal(read_pixels(text), numbers)
    np.testing.assert_array_equal(read_pixels(f"  {text.replace(' ', '   ')}\t"), numbers)
    assert read_pixels("007 0").tolist() == [7, 0]
    assert read_pixels("").tolist() == []


@pytest.mark.parametrize(
    "text", ["256", "-1 2", "1.5", "1,2", "x", "1 2 x", "99999999999999999999999", "٣ ٤", "[1 2]"]
)
def test_what_is_no_pixel_is_refused_without_a_warning(text):
    with pytest.raises(ValueError, match="whole numbers 0–255"):
        read_pixels(text)
