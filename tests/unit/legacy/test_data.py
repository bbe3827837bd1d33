import numpy as np
import pytest

from emopy.data.features import hog_features, hog_images
from emopy.errors import LabelError
from emopy.legacy.data import (
    EMOTION_INDEX,
    CSVDataLoader,
    Dataset,
    DirectoryDataLoader,
    FeatureExtractor,
    index_map,
    labels_of,
)

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


def test_a_csv_file_is_loaded_and_split(csv_file):
    data = CSVDataLoader(NUMBERS, csv_file, 0.2, (12, 10), 0, 1).load_data()
    images, labels = data.get_training_data()
    assert data.num_images() == 27
    assert images.shape[1:] == (12, 10, 1)
    assert labels.shape == (data.num_train_images(), 3)
    assert data.get_emotion_index_map() == {"anger": 0, "happiness": 1, "calm": 2}
    assert data.get_time_delay() is None


def test_three_channels_on_request(csv_file):
    loader = CSVDataLoader(NUMBERS, csv_file, image_dimensions=(12, 10), out_channels=3)
    images, _ = loader.load_data().get_test_data()
    assert images.shape[-1] == 3


def test_the_split_is_reproducible(csv_file):
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
        ({"image_dimensions": (12, 10), "validation_split": 1.0}, "from 0 to less than 1"),
    ],
)
def test_settings_that_do_not_fit_the_file_are_a_value_error(csv_file, settings, text):
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


def test_folders_of_stills_are_loaded_at_their_own_size(sample_files):
    data = DirectoryDataLoader(datapath=sample_files / "stills" / "train").load_data()
    assert data.get_training_data()[0].shape[1:] == (48, 48, 1)
    assert len(data.get_emotion_index_map()) == 7
    assert data.num_test_images() == pytest.approx(0.2 * data.num_images(), abs=7)


def test_only_the_target_emotions_are_loaded(sample_files):
    wanted = {"0": "anger", "1": "calm"}
    data = DirectoryDataLoader(wanted, sample_files / "stills" / "train").load_data()
    assert data.get_emotion_index_map() == {"anger": 0, "calm": 1}


def test_folders_of_frames_are_loaded_as_clips(sample_files):
    data = DirectoryDataLoader(datapath=sample_files / "clips" / "train", time_delay=3).load_data()
    assert data.get_training_data()[0].shape[1:] == (3, 48, 48, 1)
    assert data.get_time_delay() == 3


def test_a_clip_with_too_few_frames_is_a_value_error(sample_files):
    with pytest.raises(ValueError, match="fewer than time_delay=9"):
        DirectoryDataLoader(datapath=sample_files / "clips" / "train", time_delay=9).load_data()


@pytest.mark.parametrize("wrong", [0, 2.5])
def test_a_bad_number_of_frames_is_a_value_error(sample_files, wrong):
    with pytest.raises(ValueError, match="time_delay"):
        DirectoryDataLoader(datapath=sample_files / "clips" / "train", time_delay=wrong).load_data()


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(NotADirectoryError, match="nowhere"):
        DirectoryDataLoader(datapath=tmp_path / "nowhere").load_data()
    with pytest.raises(ValueError, match="must hold images"):
        DirectoryDataLoader(datapath=tmp_path).load_data()


def test_the_getters_return_the_arguments(capsys):
    train, test = np.zeros((5, 8, 8, 1)), np.ones((2, 8, 8, 1))
    data = Dataset(train, test, np.eye(5), np.eye(2), {"anger": 0, "calm": 1}, time_delay=3)
    assert data.get_training_data()[0] is train
    assert data.get_test_data()[0] is test
    assert data.get_test_data()[1].tolist() == np.eye(2).tolist()
    assert data.get_emotion_index_map() == {"anger": 0, "calm": 1}
    assert data.get_time_delay() == 3
    assert (data.num_train_images(), data.num_test_images(), data.num_images()) == (5, 2, 7)
    data.print_data_details()
    assert capsys.readouterr().out.splitlines() == [
        "DATASET DETAILS",
        "7 image samples",
        "5 training samples",
        "2 test samples",
    ]


def test_the_seven_emotions_keep_their_old_indices():
    assert list(EMOTION_INDEX.values()) == list(range(7))
    assert EMOTION_INDEX["calm"] == 6


def test_a_map_keeps_the_spelling_of_the_user():
    assert index_map(("happiness", "neutral"), ["calm", "happy"]) == {"happy": 0, "calm": 1}
    assert index_map(("anger", "neutral"), []) == {"anger": 0, "neutral": 1}


def test_labels_are_in_the_order_of_the_indices():
    assert labels_of({"surprise": 2, "calm": 1, "anger": 0}) == ("anger", "neutral", "surprise")


@pytest.mark.parametrize(
    "wrong", [{"anger": 0}, {"anger": 0, "fear": 2}, {"calm": 0, "neutral": 1}, {}]
)
def test_a_map_with_gaps_or_one_emotion_is_refused(wrong):
    with pytest.raises(LabelError, match="must number two or more emotions from 0"):
        labels_of(wrong)


FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
HOG = {"orientations": 8, "pixels_per_cell": (8, 8), "cells_per_block": (1, 1)}


def test_images_are_the_default_and_vectors_optional():
    drawn, numbers = FeatureExtractor(FACES), FeatureExtractor(FACES, return_2d_array=False)
    for extractor in (drawn, numbers):
        extractor.add_feature("hog", HOG)
    assert np.array_equal(drawn.extract(), hog_images(FACES[..., None], **HOG))
    assert np.array_equal(numbers.extract(), hog_features(FACES[..., None], **HOG))


def test_an_unknown_feature_is_a_value_error():
    with pytest.raises(ValueError, match="hog, lbp"):
        FeatureExtractor(FACES).add_feature("sift", {})
