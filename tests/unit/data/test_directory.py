import re

import numpy as np
import pytest
from PIL import Image

from emopy.data import DirectoryDataLoader, open_data
from emopy.errors import DataError, LabelError


def write(path, value, size=(48, 48)):
    """An image of one gray value, or one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(value, int) else "RGB"
    Image.new(mode, (size[1], size[0]), value).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in (1, 2, 10):
        write(tmp_path / "anger" / f"S{number:02}" / f"img{number}.png", number)
    write(tmp_path / "happy" / "one.png", 100)
    write(tmp_path / "Happiness" / "two.png", 200)
    (tmp_path / "fear").mkdir()
    return tmp_path


def test_folders_are_labels_and_spellings_of_one_emotion_merge(folder):
    data = DirectoryDataLoader(folder).load_data()
    assert data.labels == ("anger", "fear", "happiness")
    assert data.counts() == {"anger": 3, "fear": 0, "happiness": 2}
    assert data.images.shape == (5, 48, 48, 1)
    assert (data.targets.max(axis=1) == 1).all()


def test_images_come_in_natural_order(folder):
    for number in (9, 11):
        write(folder / "fear" / f"{number}.png", 5)
    data = DirectoryDataLoader(folder).load_data()
    assert data.sources.tolist() == [
        "anger/S01/img1.png",
        "anger/S02/img2.png",
        "anger/S10/img10.png",
        "fear/9.png",
        "fear/11.png",
        "Happiness/two.png",
        "happy/one.png",
    ]
    assert data.images[:3, 0, 0, 0].tolist() == [1, 2, 10]


def test_mixed_sizes_are_resized(folder):
    write(folder / "fear" / "large.png", 77, size=(130, 90))
    write(folder / "fear" / "small.png", 77, size=(7, 20))
    data = DirectoryDataLoader(folder, size=(40, 32)).load_data()
    assert data.images.shape == (7, 40, 32, 1)
    assert (data.images[data.truth == 1] == 77).all()


def test_colour_is_kept_or_turned_gray_as_asked(folder):
    write(folder / "fear" / "red.png", (255, 0, 0))
    gray = DirectoryDataLoader(folder, target_emotions=["fear", "anger"]).load_data()
    colour = DirectoryDataLoader(folder, target_emotions=["fear", "anger"], channels=3).load_data()
    assert gray.images[0, 0, 0].tolist() == [76]  # 0.299 × 255
    assert colour.images[0, 0, 0].tolist() == [255, 0, 0]


def test_only_the_wanted_labels_are_loaded_in_their_order(folder):
    data = DirectoryDataLoader(folder, target_emotions=["joy", "angry"]).load_data()
    assert data.labels == ("happiness", "anger")
    assert data.counts() == {"happiness": 2, "anger": 3}


def test_bad_files_are_listed_with_their_path_and_the_rest_is_loaded(folder):
    (folder / "fear" / "broken.png").write_bytes(b"not an image")
    (folder / "fear" / "notes.txt").write_text("hello")
    (folder / "fear" / ".hidden").write_text("hello")
    loaded = DirectoryDataLoader(folder).load_data()
    assert len(loaded) == 5
    assert sorted(skipped_sample.source for skipped_sample in loaded.skipped) == [
        str(folder / "fear" / "broken.png"),
        str(folder / "fear" / "notes.txt"),
    ]
    with pytest.raises(DataError, match=r"no bad files. Received 2"):
        DirectoryDataLoader(folder, strict=True).load_data()


def test_problems_of_an_earlier_call_are_forgotten(folder):
    bad = folder / "fear" / "broken.png"
    bad.write_bytes(b"not an image")
    loader = DirectoryDataLoader(folder)
    assert len(loader.load_data().skipped) == 1
    bad.unlink()
    assert loader.load_data().skipped == ()


@pytest.mark.parametrize(
    "subject_regex",
    [r"(S\d+)/", r"S\d\d", re.compile(r"/(S\d+)"), lambda file: file.parent.name],
)
def test_people_are_read_from_the_path(folder, subject_regex):
    data = DirectoryDataLoader(folder, subject_regex=subject_regex).load_data()
    assert data.subject_ids[data.truth == 0].tolist() == ["S01", "S02", "S10"]


def test_people_are_unknown_unless_the_path_says(folder):
    assert set(DirectoryDataLoader(folder).load_data().subject_ids) == {""}
    data = DirectoryDataLoader(folder, subject_regex=r"(S\d+)").load_data()
    assert data.subject_ids[data.truth == 2].tolist() == ["", ""]


def test_a_folder_of_labels_of_your_own_is_fine(tmp_path):
    write(tmp_path / "Yawning" / "a.png", 1)
    write(tmp_path / "awake" / "b.png", 2)
    assert DirectoryDataLoader(tmp_path).load_data().labels == ("awake", "yawning")


def test_unusable_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        DirectoryDataLoader(tmp_path / "absent").load_data()
    with pytest.raises(DataError, match=r"at least two folders .*with none"):
        DirectoryDataLoader(tmp_path).load_data()
    (tmp_path / "joy").mkdir()
    (tmp_path / "happy").mkdir()
    with pytest.raises(DataError, match="with happiness"):
        DirectoryDataLoader(tmp_path).load_data()
    (tmp_path / "fear").mkdir()
    with pytest.raises(DataError, match="none could be read"):
        DirectoryDataLoader(tmp_path).load_data()


def test_bad_arguments_are_refused(folder):
    with pytest.raises(DataError, match="`size`"):
        DirectoryDataLoader(folder, size=(48, 4))
    with pytest.raises(DataError, match="`channels`"):
        DirectoryDataLoader(folder, channels=4)
    with pytest.raises(DataError, match="`subject_regex` must be a regular expression"):
        DirectoryDataLoader(folder, subject_regex="(")
    with pytest.raises(LabelError, match="Did you mean 'anger'"):
        DirectoryDataLoader(folder, target_emotions=["angerr", "fear"]).load_data()


def test_open_data_opens_folders_and_files_alike(folder, tmp_path):
    data = open_data(folder)
    saved = data.save(tmp_path / "faces.npz")
    np.testing.assert_array_equal(open_data(saved).images, data.images)
    assert open_data(str(saved)).labels == data.labels


def test_open_data_says_what_it_wants(tmp_path, make_dataset):
    with pytest.raises(DataError, match="absent: no such file"):
        open_data(tmp_path / "absent")
    (tmp_path / "faces.txt").write_text("x")
    with pytest.raises(DataError, match="not such a file"):
        open_data(tmp_path / "faces.txt")
    make_dataset([0, 1]).save(tmp_path / "train.npz")
    with pytest.raises(DataError, match=r"which holds train.npz. Type for example"):
        open_data(tmp_path)
