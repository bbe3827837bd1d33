from itertools import combinations

import cv2
import numpy as np
import pytest

import emopy
from emopy.labels import canonical
from emopy.legacy.fermodel import FERModel
from emopy.samples import sample_images, sample_stills

ORIGINAL_SUBSETS = [
    ("anger", "fear", "calm", "sadness", "happiness", "surprise", "disgust"),
    ("anger", "fear", "surprise", "calm"),
    ("happiness", "disgust", "surprise"),
    ("anger", "fear", "surprise"),
    ("anger", "fear", "calm"),
    ("anger", "happiness", "calm"),
    ("anger", "fear", "disgust"),
    ("calm", "disgust", "surprise"),
    ("sadness", "disgust", "surprise"),
    ("anger", "happiness"),
]


@pytest.fixture(scope="module")
def three():
    return FERModel(["calm", "anger", "happiness"])


@pytest.mark.parametrize("subset", ORIGINAL_SUBSETS, ids="-".join)
def test_each_original_subset_predicts_one_of_its_emotions(subset, capsys):
    model = FERModel(list(subset))
    found = model.predict(sample_images()["surprise"])
    lines = capsys.readouterr().out.splitlines()
    assert found in subset
    assert {line.split(":")[0] for line in lines} == set(subset)


EMOTIONS = FERModel.POSSIBLE_EMOTIONS
SUBSETS = [
    *combinations(EMOTIONS, 2),
    *(subset for size in (3, 4, 5, 6) for subset in [*combinations(EMOTIONS, size)][::7]),
]


@pytest.fixture(scope="module")
def shares_of_all():
    """A small face that shows several emotions at once, and the share of each."""
    stills = sample_stills()
    crop = stills.images[stills.truth == stills.labels.index("fear")][0, :, :, 0]
    model = emopy.FERModel("all")
    return crop, model.predict(crop).faces[0].probabilities


@pytest.mark.parametrize("subset", SUBSETS, ids="-".join)
def test_every_pair_and_other_subsets_predict_the_most_probable_emotion(
    subset, shares_of_all, capsys
):
    crop, shares = shares_of_all
    model = FERModel(subset)
    assert model.predict_from_ndarray(crop) == max(subset, key=lambda word: shares[canonical(word)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == list(model.emotion_map)
    assert set(model.emotion_map) == set(subset)


def test_one_line_for_each_emotion_is_printed_and_they_sum_to_a_hundred(three, capsys):
    assert three.predict(str(sample_images()["happiness"])) == "happiness"
    rows = [line.split(": ") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == list(three.emotion_map) == ["anger", "happiness", "calm"]
    assert sum(float(row[1].removesuffix("%")) for row in rows) == pytest.approx(100, abs=0.15)


def test_calm_is_predicted_as_calm(three, capsys):
    assert three.predict(sample_images()["neutral"]) == "calm"


def test_the_probabilities_are_those_of_the_new_class(three, capsys):
    three.predict(sample_images()["disgust"])
    new = emopy.FERModel(["anger", "happiness", "calm"]).predict(sample_images()["disgust"])
    printed = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()]
    assert printed == [f"{100 * share:.1f}%" for share in new.faces[0].prediction.probabilities]


def test_an_array_is_bgr_as_in_opencv(astronaut_file, capsys):
    model = FERModel(FERModel.POSSIBLE_EMOTIONS)
    model.predict(astronaut_file)
    from_file = capsys.readouterr().out
    assert model.predict_from_ndarray(cv2.imread(str(astronaut_file))) == "happiness"
    assert capsys.readouterr().out == from_file


def test_blue_and_red_are_not_swapped(capsys):
    model = FERModel(FERModel.POSSIBLE_EMOTIONS)
    colours = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    told = []
    for image in (
        colours,
        cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY),
        cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY),
    ):
        model.predict_from_ndarray(image)
        told.append(capsys.readouterr().out)
    assert told[0] == told[1] != told[2]


def test_a_gray_array_is_accepted(three, astronaut, capsys):
    assert three.predict_from_ndarray(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)) == "happiness"


def test_without_a_face_the_full_image_is_used(capsys):
    model = FERModel(["anger", "happiness"], verbose=True)
    assert model.predict_from_ndarray(np.full((60, 50), 90, np.uint8)) in ("anger", "happiness")
    assert "No face found: predicting on the full image." in capsys.readouterr().out


def test_the_largest_of_several_faces_is_predicted(three, astronaut, capsys):
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    both = np.zeros((512, 768, 3), np.uint8)
    both[:, :512] = astronaut
    both[:256, 512:] = small
    three.predict_from_ndarray(both[:, :, ::-1])
    together = capsys.readouterr().out
    three.predict_from_ndarray(both[:, :512, ::-1])
    assert capsys.readouterr().out == together


def test_verbose_prints_the_face_box(capsys):
    FERModel(["anger", "calm"])
    assert capsys.readouterr().out == ""
    talking = FERModel(["anger", "calm"], verbose=True)
    assert "target emotions anger, calm" in capsys.readouterr().out
    talking.predict(sample_images()["anger"])
    talk = capsys.readouterr().out
    assert "pixels, is predicted." in talk
    assert talk.endswith("Dominant emotion: anger\n\n")


def test_order_and_repetition_of_target_emotions_do_not_matter():
    wish = ["happiness", "anger", "anger"]
    model = FERModel(wish)
    assert model.target_emotions is wish
    assert model.emotion_map == {"anger": 0, "happiness": 1}
    assert model.emotion_index_map["surprise"] == 5
    assert model.target_dimensions == (48, 48)
    assert model.channels == 1


@pytest.mark.parametrize("wrong", [["anger", "contempt"], ["anger", "boredom"], ["anger"], []])
def test_unknown_or_too_few_emotions_are_a_value_error(wrong):
    with pytest.raises(ValueError, match="target_emotions"):
        FERModel(wrong)


def test_every_possible_emotion_is_known():
    assert sorted(map(canonical, FERModel.POSSIBLE_EMOTIONS)) == sorted(emopy.STANDARD_EMOTIONS)
