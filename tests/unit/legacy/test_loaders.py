import numpy as np
import pytest

from emopy.legacy.adapters.loaders import CSVDataLoader, DirectoryDataLoader

NUMBERS = {"0": "anger", "3": "happiness", "6": "calm"}


@pytest.fixture
def csv_file(tmp_path):
    """Thirty faces as FER2013 writes them, one of an unwanted emotion among each ten."""
    rng = np.random.default_rng(0)
    path = tmp_path / "faces.csv"
    rows = ["emotion,pixels,Usage"]
    for number in range(30):
        label = "2" if number % 10 == 9 else "036"[number % 3]
        rows.append(f"{label},{' '.join(map(str, rng.integers(0, 256, 120)))},Training")
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_a_csv_file_is_loaded_and_divided(csv_file):
    data = CSVDataLoader(NUMBERS, csv_file, 0.2, (12, 10), 0, 1).load_data()
    images, labels = data.get_training_data()
    assert data.num_images() == 27
    assert images.shape[1:] == (12, 10, 1)
    assert labels.shape == (data.num_train_images(), 3)
    assert data.get_emotion_index_map() == {"anger": 0, "happiness": 1, "calm": 2}
    assert data.get_time_delay() is None


def test_colour_is_made_on_request(csv_file):
    loader = CSVDataLoader(NUMBERS, csv_file, image_dimensions=(12, 10), out_channels=3)
    images, _ = loader.load_data().get_test_data()
    assert images.shape[-1] == 3


def test_the_same_faces_are_divided_in_the_same_way(csv_file):
    first, second = (
        CSVDataLoader(NUMBERS, csv_file, image_dimensions=(12, 10)).load_data() for _ in range(2)
    )
    assert np.array_equal(first.get_test_data()[0], second.get_test_data()[0])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        CSVDataLoader(NUMBERS, tmp_path / "nowhere.csv").load_data()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"image_dimensions": (12, 11)}, "12 × 11"),
        ({"image_dimensions": (12, 10), "csv_label_col": 7}, "label_column"),
        ({"image_dimensions": (12, 10), "validation_split": 1.0}, "share from 0 to less than 1"),
    ],
)
def test_settings_that_do_not_suit_the_file_are_a_value_error(csv_file, settings, text):
    with pytest.raises(ValueError, match=text):
        CSVDataLoader(NUMBERS, csv_file, **settings).load_data()


def test_a_bad_row_is_refused(csv_file):
    csv_file.write_text(csv_file.read_text(encoding="utf-8") + "\n0,1 2 3,Training")
    with pytest.raises(ValueError, match="pixels must be 120 numbers"):
        CSVDataLoader(NUMBERS, csv_file, image_dimensions=(12, 10)).load_data()


@pytest.mark.parametrize("loader", [CSVDataLoader(NUMBERS), DirectoryDataLoader()])
def test_a_path_must_be_given(loader):
    with pytest.raises(ValueError, match="`datapath` must be a path"):
        loader.load_data()


def test_folders_of_stills_are_loaded_at_their_own_size(files):
    data = DirectoryDataLoader(datapath=files / "stills" / "train").load_data()
    assert data.get_training_data()[0].shape[1:] == (48, 48, 1)
    assert len(data.get_emotion_index_map()) == 7
    assert data.num_test_images() == pytest.approx(0.2 * data.num_images(), abs=7)


def test_only_the_wanted_emotions_are_loaded(files):
    wanted = {"0": "anger", "1": "calm"}
    data = DirectoryDataLoader(wanted, files / "stills" / "train").load_data()
    assert data.get_emotion_index_map() == {"anger": 0, "calm": 1}


def test_folders_of_frames_are_loaded_as_clips(files):
    data = DirectoryDataLoader(datapath=files / "clips" / "train", time_delay=3).load_data()
    assert data.get_training_data()[0].shape[1:] == (3, 48, 48, 1)
    assert data.get_time_delay() == 3


def test_a_clip_with_too_few_frames_is_a_value_error(files):
    with pytest.raises(ValueError, match="fewer than time_delay=9"):
        DirectoryDataLoader(datapath=files / "clips" / "train", time_delay=9).load_data()


@pytest.mark.parametrize("wrong", [0, 2.5])
def test_a_bad_number_of_frames_is_a_value_error(files, wrong):
    with pytest.raises(ValueError, match="time_delay"):
        DirectoryDataLoader(datapath=files / "clips" / "train", time_delay=wrong).load_data()


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(NotADirectoryError, match="nowhere"):
        DirectoryDataLoader(datapath=tmp_path / "nowhere").load_data()
    with pytest.raises(ValueError, match="must hold images"):
        DirectoryDataLoader(datapath=tmp_path).load_data()
