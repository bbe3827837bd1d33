import numpy as np
import pytest

from emopy.data import Dataset, DirectoryDataLoader, save_folders
from emopy.errors import DataError


def make_clips(stills):
    return Dataset(
        np.stack([stills.images, 255 - stills.images], axis=1),
        stills.targets,
        stills.labels,
        stills.subject_ids,
        stills.sources,
    )


def test_stills_come_back_unchanged(make_dataset, tmp_path):
    data = make_dataset([0, 0, 2, 2, 2], labels=("anger", "fear", "yawning"), side=16)
    read = DirectoryDataLoader(save_folders(data, tmp_path / "out"), size=(16, 16)).load_data()
    assert read.counts() == {"anger": 2, "fear": 0, "yawning": 3}
    np.testing.assert_array_equal(read.images, data.images)
    assert read.sources[0] == "anger/row 0_000000.png"


def test_images_in_colour_stay_in_colour(make_dataset, tmp_path):
    gray = make_dataset([0, 1], labels=("anger", "fear"), side=16)
    colour = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    data = Dataset(colour, gray.targets, gray.labels, gray.subject_ids, gray.sources)
    out = save_folders(data, tmp_path / "out")
    read = DirectoryDataLoader(out, size=(16, 16), channels=3).load_data()
    np.testing.assert_array_equal(read.images, colour)


def test_clips_come_back_unchanged(make_dataset, tmp_path):
    data = make_clips(make_dataset([0, 0, 1], labels=("anger", "fear"), side=16))
    out = save_folders(data, tmp_path / "out")
    read = DirectoryDataLoader(out, num_frames=2, size=(16, 16)).load_data()
    np.testing.assert_array_equal(read.images, data.images)
    assert read.skipped == ()


def test_people_are_found_again_in_the_names(make_dataset, tmp_path):
    data = make_dataset([0, 0, 1, 1], subject_ids=["S1", "S2", "S1", ""], labels=("anger", "fear"))
    data.sources[1] = "a/S2"  # where the origin tells the person, it is not told twice
    out = save_folders(data, tmp_path / "out")
    read = DirectoryDataLoader(out, size=(8, 8), subject_regex=r"S\d").load_data()
    assert read.subject_ids.tolist() == ["S2", "S1", "", "S1"]  # in the order of the names
    assert (tmp_path / "out" / "anger" / "a-S2_000001.png").is_file()


def test_origins_that_are_no_file_names_and_equal_ones_do_no_harm(make_dataset, tmp_path):
    data = make_dataset([0, 0, 0, 1], labels=("anger", "fear"))
    data.sources[:3] = "../*?<", "../*?<", ""
    out = save_folders(data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert len(list((out / "anger").iterdir())) == 3


def test_a_folder_that_holds_something_is_left_alone(make_dataset, tmp_path):
    data = make_dataset([0, 1], labels=("anger", "fear"))
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(DataError, match="new or empty folder"):
        save_folders(data, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    with pytest.raises(DataError, match="folder that can be made"):
        save_folders(data, tmp_path / "note.txt" / "out")
    (tmp_path / "empty").mkdir()
    assert (save_folders(data, tmp_path / "empty") / "fear").is_dir()


@pytest.mark.parametrize("label", ["a/b", "..", "Happy", "", "joy"])
def test_labels_that_would_read_back_otherwise_are_refused(make_dataset, tmp_path, label):
    data = make_dataset([0, 1], labels=("anger", label))
    with pytest.raises(DataError, match="`labels` must be in their standard spelling"):
        save_folders(data, tmp_path / "out")
    assert not any(tmp_path.iterdir())
