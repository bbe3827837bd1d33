import numpy as np
import pytest

from emopy.errors import InputError
from emopy.types import Box, Face, FacePrediction, ImageResult, Prediction

SHOWN = Prediction(("anger", "fear", "neutral"), np.array([0.2, 0.5, 0.3], np.float32))


def test_a_box_knows_its_measures():
    box = Box(10, 20, 40, 80)
    assert (box.width, box.height, box.center) == (30, 60, (25, 50))


@pytest.mark.parametrize(
    "edges", [(5, 0, 5, 9), (0, 9, 5, 1), (0, 0, np.nan, 5), (0, 0, np.inf, 5)]
)
def test_an_impossible_box_is_refused(edges):
    with pytest.raises(InputError, match="`Box` must have"):
        Box(*edges)


def test_landmarks_must_be_five_points():
    with pytest.raises(InputError, match=r"shape \(5, 2\)"):
        Face(Box(0, 0, 1, 1), landmarks=np.zeros((4, 2), np.float32))


def test_a_prediction_tells_its_emotion_and_its_ranking():
    assert (SHOWN.emotion, SHOWN.confidence) == ("fear", 0.5)
    assert [label for label, _ in SHOWN.top(2)] == ["fear", "neutral"]
    assert list(SHOWN.as_dict()) == ["anger", "fear", "neutral"]
    assert repr(SHOWN) == "Prediction(fear 50.0%, neutral 30.0%, anger 20.0%)"


def test_below_the_confidence_asked_for_no_emotion_is_named():
    unsure = Prediction(SHOWN.labels, SHOWN.probabilities, min_confidence=0.51)
    assert (unsure.emotion, unsure.confidence) == (None, 0.5)
    assert unsure.top(1)[0][0] == "fear"
    assert Prediction(SHOWN.labels, SHOWN.probabilities, min_confidence=0.5).emotion == "fear"


def test_entropy_says_how_mixed_the_belief_is():
    sure, even = np.array([0, 1, 0], np.float32), np.full(3, 1 / 3, np.float32)
    assert Prediction(SHOWN.labels, sure).entropy == 0
    assert Prediction(SHOWN.labels, even).entropy == pytest.approx(np.log(3))
    assert 0 < SHOWN.entropy < np.log(3)


def test_probabilities_must_be_one_per_label():
    with pytest.raises(InputError, match=r"shape \(2,\)"):
        Prediction(("anger", "fear"), np.ones(3, np.float32) / 3)


def test_a_face_prediction_passes_through_what_people_ask_for():
    face = FacePrediction(Face(Box(0, 0, 2, 3)), SHOWN)
    assert (face.box.height, face.emotion, face.confidence) == (3, "fear", 0.5)
    assert face.probabilities == SHOWN.as_dict()


def test_records_are_frozen():
    with pytest.raises(AttributeError):
        ImageResult("a.png", (1, 1)).source = "b.png"
