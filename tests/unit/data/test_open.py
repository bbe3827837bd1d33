import shutil

import pytest

from emopy.data import open_data
from emopy.errors import DataError
from emopy.samples import sample_images


def test_a_csv_file_is_opened_and_its_odd_rows_are_reported(tmp_path):
    pixels = " ".join(["7"] * 63)
    path = tmp_path / "faces.CSV"
    path.write_text(f"label,pixels\njoy,{pixels} 1\nfear,{pixels} 2\njoy,{pixels}\n")
    loaded = open_data(path)
    assert loaded.counts() == {"fear": 1, "happiness": 1}
    assert [skipped_sample.line for skipped_sample in loaded.skipped] == [4]
    assert open_data(path).labels == ("fear", "happiness")


def test_a_file_that_was_saved_is_read_whole(tmp_path, make_dataset):
    path = make_dataset([0, 1, 2]).save(tmp_path / "faces.npz")
    loaded = open_data(path)
    assert len(loaded) == 3
    assert loaded.skipped == ()


def test_hidden_npz_files_of_a_system_do_not_hide_the_folders(tmp_path):
    for emotion in ("anger", "fear"):
        (tmp_path / emotion).mkdir()
        shutil.copy(sample_images()[emotion], tmp_path / emotion)
    (tmp_path / "._train.npz").write_bytes(b"")
    assert len(open_data(tmp_path)) == 2


def test_what_is_no_data_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a .csv file with one face per row.*no such file"):
        open_data(tmp_path / "absent.txt")
    with pytest.raises(DataError, match="no such file"):
        open_data(tmp_path / "absent.csv")


def test_a_folder_is_read_in_the_size_and_color_that_is_asked_for(tmp_path):
    for emotion in ("anger", "fear"):
        (tmp_path / emotion).mkdir()
        shutil.copy(sample_images()[emotion], tmp_path / emotion)
    assert open_data(tmp_path).images.shape == (2, 48, 48, 1)
    assert open_data(tmp_path, size=(20, 30), channels=3).images.shape == (2, 20, 30, 3)


def test_a_rule_for_subject_ids_goes_with_folders_only(tmp_path, make_dataset):
    path = make_dataset([0, 1]).save(tmp_path / "faces.npz")
    with pytest.raises(DataError, match="`path` must be a folder if `subject_regex` is given"):
        open_data(path, subject_regex="x")
