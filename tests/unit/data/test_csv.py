import math
import tracemalloc
import unicodedata

import numpy as np
import pytest

from emopy.data import FER2013_LABELS, CSVDataLoader, check, split
from emopy.data.csv import csv_rows
from emopy.data.csv_layout import parse_pixels
from emopy.errors import DataError, LabelError
from emopy.models import InputSpec, to_pixels
from emopy.testing import check_loader


def image(seed, count=64):
    return np.random.default_rng(seed).integers(0, 256, count)


def text(pixels):
    return " ".join(map(str, pixels))


@pytest.fixture
def write(tmp_path):
    """Write lines of cells as a file."""

    def write(lines, *, delimiter=",", name="faces.csv", encoding="utf-8"):
        path = tmp_path / name
        rows = [delimiter.join(map(str, cells)) for cells in lines]
        path.write_text("\n".join(rows) + "\n", encoding=encoding)
        return path

    return write


HEAD = ("emotion", "pixels", "Usage")


@pytest.fixture
def fer2013(write):
    """Seven faces in FER2013's layout."""
    usages = ["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"]
    return write([HEAD, *((i, text(image(i)), usages[i]) for i in range(7))])


def test_a_file_like_fer2013_needs_no_settings(fer2013):
    data = CSVDataLoader(fer2013).load_data()
    assert data.images.shape == (7, 8, 8, 1)
    assert data.labels == tuple(sorted(FER2013_LABELS.values()))
    assert [data.labels[i] for i in data.truth] == list(FER2013_LABELS.values())
    assert data.sources.tolist() == [f"faces.csv:{line}" for line in range(2, 9)]
    assert set(data.subject_ids) == {""}
    for i in range(7):
        np.testing.assert_array_equal(data.images[i].ravel(), image(i))


def test_the_loader_keeps_the_promises_of_loaders(fer2013):
    check_loader(CSVDataLoader(fer2013))


def test_labels_that_were_quoted_for_spreadsheets_are_unquoted(write):
    labels = ["'@home", "'=sum", "plain"]
    path = write([("label", "pixels"), *((each, text(image(i))) for i, each in enumerate(labels))])
    assert set(CSVDataLoader(path).load_data().labels) == {"@home", "=sum", "plain"}


def test_the_pixels_may_be_changed_in_place(fer2013):
    data = CSVDataLoader(fer2013).load_data()
    data.images[0] = 0
    assert data.images[0].max() == 0


def test_a_split_is_respected_on_request(fer2013):
    data = CSVDataLoader(fer2013, usage="publictest").load_data()
    assert [data.labels[i] for i in data.truth] == ["sadness", "surprise"]
    with pytest.raises(DataError, match="Its splits are Training, PublicTest, PrivateTest"):
        CSVDataLoader(fer2013, usage="Validation").load_data()


def test_a_split_without_its_column_is_refused(write):
    path = write([("label", "pixels"), ("joy", text(image(0)))])
    with pytest.raises(DataError, match=r"`usage` .* with label, pixels. Name the column"):
        CSVDataLoader(path, usage="Training").load_data()


def test_the_column_of_splits_can_be_named(write):
    path = write([(i % 2, text(image(i)), "ab"[i // 2]) for i in range(4)])
    loader = CSVDataLoader(path, usage="b", usage_column=2, labels={0: "fear", 1: "joy"})
    assert loader.load_data().sources.tolist() == ["faces.csv:3", "faces.csv:4"]


@pytest.mark.parametrize(
    "options",
    [
        {"label_column": "Mood", "pixels_column": "face"},
        {"label_column": " mood "},
        {"label_column": 3, "pixels_column": 1, "header": "yes"},
        {"label_column": 3},
    ],
)
def test_columns_are_named_or_counted(write, options):
    rows = [(i, text(image(i)), "x", ("happy", "Fear")[i % 2]) for i in range(4)]
    path = write([("id", "face", "note", "Mood"), *rows])
    data = CSVDataLoader(path, **options).load_data()
    assert [data.labels[i] for i in data.truth] == ["happiness", "fear"] * 2
    assert not data.skipped


@pytest.mark.parametrize("options", [{}, {"header": "no"}, {"label_column": 0, "pixels_column": 1}])
def test_a_file_without_a_header_is_known_by_its_first_row(write, options):
    path = write([("joy", text(image(0))), ("fear", text(image(1)))])
    loaded = CSVDataLoader(path, **options).load_data()
    assert loaded.counts() == {"fear": 1, "happiness": 1}
    assert loaded.skipped == ()


def test_a_first_row_that_is_said_to_be_a_header_is_left_out(write):
    path = write([("joy", text(image(i))) for i in range(2)] + [("fear", text(image(3)))])
    assert len(CSVDataLoader(path, header="yes").load_data()) == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write, delimiter):
    path = write([HEAD, *((i, text(image(i)), "a") for i in range(2))], delimiter=delimiter)
    assert len(CSVDataLoader(path).load_data()) == 2


def test_any_other_delimiter_can_be_given(write):
    path = write([("joy", text(image(0))), ("fear", text(image(1)))], delimiter="#")
    assert len(CSVDataLoader(path, delimiter="#").load_data()) == 2
    with pytest.raises(DataError, match="`delimiter` must be one character"):
        CSVDataLoader(path, delimiter="##").load_data()
    with pytest.raises(DataError, match=r"type for example `delimiter=';'`"):
        CSVDataLoader(path).load_data()


def test_labels_stand_for_what_the_user_says_and_others_are_left_out(fer2013):
    data = CSVDataLoader(
        fer2013, labels={"0": "Angry", "2": "fear", "3": "calm", "9": "sad"}
    ).load_data()

    assert data.counts() == {"anger": 1, "fear": 1, "neutral": 1, "sadness": 0}
    assert data.skipped == ()


@pytest.mark.parametrize("labels", [FER2013_LABELS, {"0": "anger", "3": "happiness"}])
def test_codes_that_fer2013_does_not_know_are_listed_also_with_labels_of_the_user(write, labels):
    rows = [(i % 8, text(image(i)), "a") for i in range(40)]
    path = write([HEAD, *rows])
    (sample,) = CSVDataLoader(path, labels=labels).load_data().skipped
    assert (sample.line, sample.count) == (9, 5)
    assert sample.reason.endswith("'7' is none of the codes 0, 1, 2, 3, 4, 5, 6")
    with pytest.raises(DataError, match=r"no bad rows\. Received 5:"):
        CSVDataLoader(path, labels=labels, strict=True).load_data()


def test_two_written_labels_may_stand_for_one_emotion(fer2013):
    data = CSVDataLoader(fer2013, labels={"0": "bad", "1": "bad", "3": "good"}).load_data()
    assert data.counts() == {"bad": 2, "good": 1}


def test_labels_in_two_spellings_are_merged(write):
    words = ["happy", "Happiness", "JOY", "fear"]
    path = write([(word, text(image(i))) for i, word in enumerate(words)])
    data = CSVDataLoader(path).load_data()
    assert data.counts() == {"fear": 1, "happiness": 3}
    assert "spelling" not in {finding.kind for finding in check(data).findings}


def test_numbers_without_a_meaning_are_refused(write):
    path = write([("emotion", "pixels"), *((i, text(image(i))) for i in range(3))])
    with pytest.raises(DataError, match=r"Received 0, 1, 2. Write .*FER2013_LABELS"):
        CSVDataLoader(path).load_data()
    data = CSVDataLoader(path, labels=FER2013_LABELS).load_data()
    assert data.counts()["disgust"] == 1


@pytest.mark.parametrize("written", ["3", "3.0", "3.", "3.000", "3,0"])
def test_a_whole_number_is_its_code_however_it_is_written(write, written):
    rows = [(0, text(image(0)), "a"), (written, text(image(1)), "a")]
    path = write([HEAD, *rows], delimiter=";")
    data = CSVDataLoader(path, strict=True).load_data()
    assert [data.labels[column] for column in data.truth] == ["anger", "happiness"]
    named = CSVDataLoader(path, labels={"0": "bad", "3": "good"}).load_data()
    assert named.counts() == {"bad": 1, "good": 1}


@pytest.mark.parametrize("odd", ["-1", "3e0", "02", "+3", "7", "7.0", "0.5", "nan", "happy", "٣"])
@pytest.mark.parametrize("first", [2, 90])
def test_a_label_without_a_meaning_among_codes_is_listed_once_with_its_count(write, odd, first):
    rows = [(i % 7, text(image(i)), "a") for i in range(100)]
    rows[first - 2 : first - 2] = [(odd, text(image(0)), "a")] * 3
    path = write([HEAD, *rows])
    data = CSVDataLoader(path).load_data()
    assert len(data) == 100
    assert data.labels == tuple(sorted(FER2013_LABELS.values()))
    (sample,) = data.skipped
    assert (sample.source, sample.line, sample.count) == (str(path), first, 3)
    assert repr(odd) in sample.reason
    with pytest.raises(DataError, match=r"no bad rows\. Received 3:"):
        CSVDataLoader(path, strict=True).load_data()


@pytest.mark.parametrize("odd", ["3", "3.0", "-1", "3e0", "02", "nan"])
@pytest.mark.parametrize("first", [2, 90])
def test_a_number_among_words_is_listed_once_and_never_a_label(write, odd, first):
    rows = [(("joy", "fear")[i % 2], text(image(i)), "a") for i in range(100)]
    rows[first - 2 : first - 2] = [(odd, text(image(0)), "a")] * 3
    for head in (HEAD, ("mood", "pixels", "part")):
        data = CSVDataLoader(write([head, *rows])).load_data()
        assert data.labels == ("fear", "happiness")
        assert [(each.line, each.count) for each in data.skipped] == [(first, 3)]


@pytest.mark.parametrize("numbers", [("0.0", "1.0"), ("-1", "1"), ("1e0", "2e0"), ("01", "02")])
def test_numbers_of_any_kind_without_a_meaning_are_refused(write, numbers):
    path = write([("emotion", "pixels"), *((n, text(image(0))) for n in numbers)])
    with pytest.raises(DataError, match=r"must be names, or numbers with a name"):
        CSVDataLoader(path).load_data()


def test_labels_that_are_named_may_be_any_numbers_and_malformed_ones_are_listed(write):
    rows = [(label, text(image(i))) for i, label in enumerate(["-1", "1", "01", "2"])]
    path = write([("mood", "pixels"), *rows])
    data = CSVDataLoader(path, labels={"-1": "sad", "1.0": "happy"}).load_data()
    assert data.counts() == {"happiness": 1, "sadness": 1}
    assert [(each.line, each.count) for each in data.skipped] == [(4, 1)]


def test_a_file_without_one_known_code_says_what_its_labels_are(write):
    path = write([HEAD, *((f"{i}e0", text(image(i)), "a") for i in range(3))])
    with pytest.raises(DataError, match=r"labels are 0e0, 1e0, 2e0\. 3 rows could not be read"):
        CSVDataLoader(path).load_data()


def test_words_columns_splits_and_subjects_are_compared_in_composed_letters(write):
    def nfd(word):
        return unicodedata.normalize("NFD", word)

    rows = [("colère", "été", "Zoë"), (nfd("colère"), nfd("été"), nfd("Zoë")), ("joie", "été", "b")]
    cells = [(label, text(image(i)), *rest) for i, (label, *rest) in enumerate(rows)]
    path = write([("label", "pixels", "Usage", nfd("prénom")), *cells])
    data = CSVDataLoader(
        path, usage="été", subject_column="prénom", target_emotions=[nfd("colère"), "joie"]
    ).load_data()
    assert data.counts() == {"colère": 2, "joie": 1}
    assert sorted(set(data.subject_ids.tolist())) == ["Zoë", "b"]


def test_only_the_requested_labels_are_loaded_in_their_order(fer2013):
    data = CSVDataLoader(fer2013, target_emotions=["joy", "anger"]).load_data()
    assert data.labels == ("happiness", "anger")
    np.testing.assert_array_equal(data.targets, [[0, 1], [1, 0]])
    with pytest.raises(LabelError, match="Did you mean 'anger'"):
        CSVDataLoader(fer2013, target_emotions=["angerr", "fear"]).load_data()


def test_the_standard_emotions_leave_contempt_out(write):
    words = [*FER2013_LABELS.values(), "contempt"]
    path = write([(word, text(image(i))) for i, word in enumerate(words)])
    assert len(CSVDataLoader(path, target_emotions="all").load_data()) == 8
    data = CSVDataLoader(path, target_emotions="standard").load_data()
    assert "contempt" not in data.labels
    assert len(data) == 7


def test_the_size_can_be_given(write):
    path = write([("joy", text(image(0, 96))), ("fear", text(image(1, 96)))])
    data = CSVDataLoader(path, size=(12, 8)).load_data()
    np.testing.assert_array_equal(data.images[0, :, :, 0], image(0, 96).reshape(12, 8))
    with pytest.raises(DataError, match=r"with 96 numbers per image. Type a `size`, such as"):
        CSVDataLoader(path).load_data()
    with pytest.raises(DataError, match=r"images of 9 × 8 pixels"):
        CSVDataLoader(path, size=(9, 8)).load_data()


def test_images_in_color_are_known_by_their_length(write):
    red = np.tile([255, 0, 0], 64)
    path = write([("joy", text(red)), ("fear", text(image(1, 192)))])
    assert CSVDataLoader(path).load_data().images[0, 0, 0].tolist() == [255, 0, 0]
    assert CSVDataLoader(path, channels=1).load_data().images[0, 0, 0].tolist() == [76]


def test_gray_images_become_three_channels_on_request(fer2013):
    data = CSVDataLoader(fer2013, channels=3).load_data()
    assert data.images.shape == (7, 8, 8, 3)
    assert (data.images == data.images[..., :1]).all()
    with pytest.raises(DataError, match="`channels`"):
        CSVDataLoader(fer2013, channels=2)


def test_subjects_are_read_from_their_column(write):
    rows = [(("joy", "fear")[i % 2], text(image(i)), f"S{i // 4}") for i in range(24)]
    path = write([("label", "pixels", "who"), *rows])
    data = CSVDataLoader(path, subject_column="who").load_data()
    assert data.subject_ids.tolist() == [row[2] for row in rows]
    splits = split(data, validation=0.2, calibration=0, test=0.2)
    assert not set(splits.train.subject_ids) & set(splits.test.subject_ids)


@pytest.mark.parametrize(
    "row, reason",
    [
        ((0, text(image(9, 63)), "a"), "64 numbers, or those of a square"),
        ((0, text(image(9, 49)), "a"), "at least 8 × 8. Received 49"),
        ((0, text(image(9, 2 * 81)), "a"), "Received 162"),
        ((0, text([256] * 64), "a"), "whole numbers 0–255"),
        ((0, "x " * 64, "a"), "whole numbers 0–255"),
        ((0, "", "a"), "Received 0"),
        (("", text(image(9)), "a"), "the label is empty"),
        (("joy\x1b[31m", text(image(9)), "a"), r"the label 'joy\x1b[31m' must be printable"),
        ((0,), "only 1 cells"),
    ],
)
@pytest.mark.parametrize("place", [1, 4])
def test_an_odd_row_is_listed_with_its_line_and_the_rest_is_loaded(write, row, reason, place):
    good = [(i, text(image(i)), "a") for i in range(7)]
    path = write([HEAD, *good[: place - 1], row, *good[place - 1 :]])
    loaded = CSVDataLoader(path).load_data()
    assert len(loaded) == 7
    (skipped_sample,) = loaded.skipped
    assert (skipped_sample.source, skipped_sample.line) == (str(path), place + 1)
    assert reason in skipped_sample.reason
    with pytest.raises(DataError, match=r"no bad rows\. Received 1"):
        CSVDataLoader(path, strict=True).load_data()


def test_the_usual_length_decides_which_rows_are_odd(write):
    first = ("joy", text(image(0, 96)))
    path = write([first, *((("joy", "fear")[i % 2], text(image(i))) for i in range(6))])
    loaded = CSVDataLoader(path).load_data()
    assert loaded.images.shape == (6, 8, 8, 1)
    assert [skipped_sample.line for skipped_sample in loaded.skipped] == [1]


def test_squares_of_another_size_are_resized_as_prediction_would_do_it(write):
    counts = [64, 100, 64, 144, 64, 64]
    pixels = [image(i, count) for i, count in enumerate(counts)]
    path = write([(("joy", "fear")[i % 2], text(cell)) for i, cell in enumerate(pixels)])
    data = CSVDataLoader(path, strict=True).load_data()

    assert data.images.shape == (6, 8, 8, 1)
    for found, cell, count in zip(data.images, pixels, counts, strict=True):
        side = math.isqrt(count)
        crop = cell.astype(np.uint8).reshape(1, side, side)
        np.testing.assert_array_equal(found, to_pixels(crop, InputSpec(8, 8))[0])
    assert data.image_stats.sizes == {(8, 8): 4, (10, 10): 1, (12, 12): 1}


def test_squares_are_brought_to_the_size_that_is_asked_for(fer2013):
    loaded = CSVDataLoader(fer2013, size=(16, 12)).load_data()
    assert loaded.images.shape == (7, 16, 12, 1)
    assert loaded.skipped == ()
    assert str(loaded.image_stats) == "8 × 8 pixels; all gray"


def test_squares_join_images_of_a_size_that_was_given(write):
    tall = image(0, 96)
    rows = [("joy", tall), ("fear", image(1, 96)), ("joy", image(2)), ("fear", image(3, 95))]
    data = CSVDataLoader(
        write([(label, text(cell)) for label, cell in rows]), size=(12, 8)
    ).load_data()

    assert data.images.shape == (3, 12, 8, 1)
    np.testing.assert_array_equal(data.images[0].ravel(), tall)
    assert [skipped_sample.line for skipped_sample in data.skipped] == [4]


def test_gray_and_color_may_be_mixed(write):
    red = np.tile([255, 0, 0], 100)
    rows = [("joy", image(0)), ("fear", image(1)), ("joy", red)]
    path = write([(label, text(cell)) for label, cell in rows])
    loaded = CSVDataLoader(path).load_data()
    assert (loaded.images[2] == 76).all()
    assert loaded.image_stats.color == 1
    color = CSVDataLoader(path, channels=3).load_data().images
    assert (color[2] == (255, 0, 0)).all()
    assert (color[0] == color[0][..., :1]).all()


def test_what_an_earlier_call_saw_is_forgotten(fer2013):
    loader = CSVDataLoader(fer2013)
    loader.load_data()
    assert len(loader.load_data().image_stats) == 7


def test_skipped_samples_of_an_earlier_call_are_forgotten(write):
    rows = [("joy", text(image(0))), ("fear", text(image(1)))]
    path = write([*rows, ("joy", "1 2")])
    loader = CSVDataLoader(path)
    assert len(loader.load_data().skipped) == 1
    write(rows)
    assert loader.load_data().skipped == ()


def test_unusable_files_are_refused(write, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        CSVDataLoader(tmp_path / "absent.csv").load_data()
    with pytest.raises(DataError, match="rows of faces"):
        CSVDataLoader(write([])).load_data()
    with pytest.raises(DataError, match="rows of faces"):
        CSVDataLoader(write([HEAD])).load_data()
    with pytest.raises(DataError, match="a column of pixels"):
        CSVDataLoader(write([("a", "b"), ("c", "d")])).load_data()
    with pytest.raises(DataError, match="two labels or more"):
        CSVDataLoader(write([("joy", text(image(0)))])).load_data()
    path = write([("joy", text(image(0))), ("fear", text(image(1)))])
    with pytest.raises(DataError, match=r"no such row\. Its labels are joy, fear\."):
        CSVDataLoader(path, labels={"0": "anger", "1": "fear"}).load_data()


def test_bad_arguments_are_refused(fer2013):
    with pytest.raises(DataError, match=r"`label_column` .*Did you mean 'emotion'"):
        CSVDataLoader(fer2013, label_column="emotoin").load_data()
    with pytest.raises(DataError, match=r"`pixels_column` must be 0 to 2: .* Received 3"):
        CSVDataLoader(fer2013, pixels_column=3).load_data()
    with pytest.raises(DataError, match="another column than the pixels"):
        CSVDataLoader(fer2013, label_column=1).load_data()
    with pytest.raises(DataError, match="`header` must be"):
        CSVDataLoader(fer2013, header="maybe").load_data()
    with pytest.raises(TypeError, match="no argument lable_column"):
        CSVDataLoader(fer2013, lable_column=1)


def test_a_column_of_names_is_not_taken_for_labels(write):
    path = write([("label", "pixels"), *((f"n{i}", text(image(0))) for i in range(1100))])
    with pytest.raises(DataError, match="more than 1,000 different ones, such as n0, n1"):
        CSVDataLoader(path).load_data()


@pytest.mark.parametrize("sides", [[48], [48, 48, 48, 64]])
def test_memory_is_bounded_by_the_result(write, sides):
    rows = 6000
    cells = [text(image(seed, sides[seed % len(sides)] ** 2)) for seed in range(8)]
    path = write([HEAD, *((i % 7, cells[i % 8], "Training") for i in range(rows))])
    result = rows * 48 * 48
    assert path.stat().st_size > 3 * result
    tracemalloc.start()
    try:
        data = CSVDataLoader(path).load_data()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert data.images.nbytes == result
    assert peak < 1.4 * result


def test_rows_of_other_splits_cost_no_memory(write):
    cells = text(image(0, 48 * 48))
    path = write([HEAD, *((i % 7, cells, "Training" if i > 20 else "b") for i in range(3000))])
    tracemalloc.start()
    try:
        data = CSVDataLoader(path, usage="b").load_data()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(data) == 21
    assert peak < 3_000_000


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


def test_a_row_that_is_not_utf_8_is_listed_since_two_names_could_become_one(tmp_path):
    rows, skipped = rows_of(tmp_path, b"m\xe4de,1\nm\xfcde,2\n2,3\n")
    assert rows == [(3, ["2", "3"])]
    assert [each.line for each in skipped] == [1, 2]
    assert "save the file as CSV UTF-8" in str(skipped[0])


def test_a_cell_without_end_is_listed_and_the_next_row_is_read(tmp_path):
    rows, skipped = rows_of(tmp_path, "1," + "9" * (2**24 + 1) + "\n2,3\n")
    assert rows == [(2, ["2", "3"])]
    assert [skipped_sample.line for skipped_sample in skipped] == [1]


def test_a_large_image_fits_into_a_cell(tmp_path):
    pixels = " ".join(["255"] * 300 * 300)
    ((_, cells),), skipped = rows_of(tmp_path, f"1,{pixels}\n")
    assert len(parse_pixels(cells[1])) == 300 * 300
    assert not skipped
