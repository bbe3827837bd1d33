import csv

import numpy as np
import pytest

from emopy.data import (
    FERPlusDataLoader,
    read_ferplus,
)
from emopy.errors import DataError
from emopy.labels import ALL_EMOTIONS


@pytest.fixture
def files(write_ferplus, votes_for):
    return write_ferplus(
        [
            ("Training", 0, votes_for(fear=6, surprise=4)),
            ("Training", 1, votes_for(fear=5, surprise=5)),
            ("Training", 2, votes_for(NF=10)),
            ("PublicTest", 3, votes_for(happiness=10)),
            ("PrivateTest", 4, votes_for(contempt=8, neutral=2)),
        ]
    )


def edit(path, line, column, value):
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    rows[line - 1][column] = value
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def test_soft_votes_of_the_training_split_are_the_default(files):
    data = FERPlusDataLoader(*files).load_data()
    assert data.labels == ALL_EMOTIONS
    assert data.images.shape == (2, 48, 48, 1)
    assert data.sources.tolist() == ["fer2013:0", "fer2013:1"]
    assert set(data.subject_ids) == {""}
    assert data.targets[0, ALL_EMOTIONS.index("fear")] == pytest.approx(0.6)


def test_pixels_arrive_unchanged(files):
    data = FERPlusDataLoader(*files).load_data()
    expected = np.random.default_rng(0).integers(0, 256, 48 * 48)
    np.testing.assert_array_equal(data.images[0].ravel(), expected)


def test_the_majority_rule_keeps_fewer_faces(files):
    data = FERPlusDataLoader(*files, targets="majority").load_data()
    assert data.sources.tolist() == ["fer2013:0"]
    assert data.targets.max() == 1


@pytest.mark.parametrize(
    "usage, emotion", [("PublicTest", "happiness"), ("PrivateTest", "contempt")]
)
def test_each_split_is_loaded_by_its_name(files, usage, emotion):
    data = FERPlusDataLoader(*files, usage=usage, targets="majority").load_data()
    assert [data.labels[i] for i in data.truth] == [emotion]


@pytest.mark.parametrize(
    "line, column, value, reason",
    [
        (2, 1, "1 2 3", "2304 numbers. Received 3"),
        (2, 1, "256 " * 2304, "whole numbers 0–255"),
        (2, 1, "x " * 2304, "whole numbers 0–255"),
        (2, 2, "Trainnig", "Received 'Trainnig'"),
    ],
)
def test_a_bad_row_of_pixels_is_listed_and_the_rest_is_loaded(files, line, column, value, reason):
    images, votes = files
    edit(images, line, column, value)
    loaded = FERPlusDataLoader(images, votes).load_data()
    assert loaded.sources.tolist() == ["fer2013:1"]
    (skipped_sample,) = loaded.skipped
    assert (skipped_sample.source, skipped_sample.line) == (str(images), line)
    assert reason in skipped_sample.reason


@pytest.mark.parametrize("value", ["many", "-1", "nan", "inf", ""])
def test_a_bad_row_of_votes_is_listed_and_the_rest_is_loaded(files, value):
    images, votes = files
    edit(votes, 3, 4, value)
    faces = read_ferplus(images, votes)
    assert faces.rows.tolist() == [0, 2, 3, 4]
    assert [skipped_sample.line for skipped_sample in faces.skipped] == [3]
    assert "votes" in str(faces.skipped[0])


def test_strict_mode_refuses_a_bad_row(files):
    images, votes = files
    edit(images, 3, 1, "1 2 3")
    with pytest.raises(DataError, match=r"no bad rows. Received 1:\n.*line 3: pixels"):
        FERPlusDataLoader(images, votes, strict=True).load_data()


@pytest.mark.parametrize("missing", [1, 2, 5])
def test_files_that_do_not_belong_together_row_by_row_are_refused(files, missing):
    """Else faces would get the votes of their neighbors."""
    for path in files:
        whole = path.read_text()
        lines = whole.splitlines(keepends=True)
        path.write_text("".join(lines[:missing] + lines[missing + 1 :]))
        with pytest.raises(DataError, match=r"the same rows in the same order\. Received"):
            read_ferplus(*files)
        path.write_text(whole)


def test_header_spaces_and_a_byte_order_mark_are_understood(files):
    images, votes = files
    text = images.read_text().replace("emotion,pixels,Usage", "\ufeffemotion, pixels, Usage")
    images.write_text(text, encoding="utf-8")
    assert len(read_ferplus(images, votes).rows) == 5


def test_a_missing_file_or_column_is_refused(files, tmp_path):
    _, votes = files
    with pytest.raises(DataError, match="no such file"):
        read_ferplus(tmp_path / "absent.csv", votes)
    with pytest.raises(DataError, match="without pixels"):
        read_ferplus(votes, votes)


def test_a_split_without_a_kept_face_is_refused(write_ferplus, votes_for):
    files = write_ferplus([("Training", 0, votes_for(NF=10))])
    with pytest.raises(DataError, match=r"'votes' keeps. Received none"):
        FERPlusDataLoader(*files).load_data()


def test_mistyped_choices_get_the_nearest_word(files):
    with pytest.raises(DataError, match=r"Received 'training'. Did you mean 'Training'"):
        FERPlusDataLoader(*files, usage="training")
    with pytest.raises(DataError, match="Did you mean 'majority'"):
        FERPlusDataLoader(*files, targets="mayority")
