import csv

import numpy as np
import pytest

from emopy.data import DirectoryDataLoader
from emopy.errors import InputError
from emopy.samples import (
    CLIP_FRAMES,
    sample_stills,
    write_samples,
)


def test_written_stills_come_back_unchanged_through_the_folder_loader(sample_files):
    stills = sample_stills()
    for split in ("train", "test"):
        loaded = DirectoryDataLoader(sample_files / "stills" / split).load_data()
        expected = stills.take(np.char.startswith(stills.sources, f"{split}/"))
        assert loaded.skipped == ()
        assert loaded.labels == expected.labels
        np.testing.assert_array_equal(loaded.images, expected.images)
        np.testing.assert_array_equal(loaded.targets, expected.targets)


def test_written_clips_have_a_folder_each(sample_files):
    folders = sorted(path for path in (sample_files / "clips").glob("*/*/*") if path.is_dir())
    assert len(folders) == 224
    assert {len(list(folder.glob("*.png"))) for folder in folders} == {CLIP_FRAMES}


def test_the_written_table_holds_the_stills(sample_files):
    with (sample_files / "stills.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    stills = sample_stills()
    assert [row["emotion"] for row in rows] == [stills.labels[label] for label in stills.truth]
    assert {row["Usage"] for row in rows} == {"Training", "PrivateTest"}
    pixels = np.array([row["pixels"].split() for row in rows], dtype=np.uint8)
    np.testing.assert_array_equal(pixels.reshape(-1, 48, 48, 1), stills.images)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(InputError, match="`folder` must be a new or empty folder"):
        write_samples(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("keep", encoding="utf-8")
    with pytest.raises(InputError, match=r"`folder` must be a new or empty folder. .* is a file"):
        write_samples(path)
