import numpy as np
import pytest

from emopy.errors import InputError, LabelError
from emopy.explain import METHODS, explain_crop, explain_face
from emopy.explain.perturbation import asked_labels
from emopy.models import InputSpec
from emopy.types import Box, Face, Prediction

SPEC = InputSpec(24, 32)
MOUTH = (slice(16, 22), slice(10, 22))
EYES = (slice(4, 9), slice(6, 26))


@pytest.fixture(scope="module")
def mouth_weights():
    """Happiness comes from a bright mouth, and is lowered by bright eyes."""
    weights = np.zeros((3, 24, 32))
    weights[1][MOUTH] = 0.2
    weights[1][EYES] = -0.2
    return weights


@pytest.fixture(scope="module")
def bright():
    """A dark face with a bright mouth and bright eyes."""
    face = np.full((24, 32, 1), 40, np.uint8)
    face[MOUTH] = face[EYES] = 200
    return face


def explained(crop, predict, **settings):
    (prediction,) = predict(crop[np.newaxis])
    maps, _ = explain_crop(crop, predict, prediction, **settings)
    return maps


@pytest.mark.parametrize("method", METHODS)
def test_the_map_shows_what_raises_and_what_lowers(method, mouth_weights, bright, linear_predict):
    found = explained(bright, linear_predict(mouth_weights), method=method)["happiness"]
    assert found.shape == (24, 32)
    assert found.dtype == np.float32
    rest = np.ones((24, 32), bool)
    rest[MOUTH] = rest[EYES] = False
    assert found[MOUTH].mean() > 3 * abs(found[rest].mean())
    assert found[EYES].mean() < -3 * abs(found[rest].mean())


@pytest.mark.parametrize("method", METHODS)
def test_what_raises_one_emotion_lowers_the_others(method, mouth_weights, bright, linear_predict):
    maps = explained(bright, linear_predict(mouth_weights), method=method)
    assert tuple(maps) == ("anger", "happiness", "neutral")
    assert maps["anger"][MOUTH].mean() < 0 < maps["anger"][EYES].mean()


@pytest.mark.parametrize("method", METHODS)
def test_a_certain_prediction_is_explained_as_well(method, mouth_weights, bright, linear_predict):
    always_happy = np.array([0, 0.2, 0]).reshape(3, 1, 1)
    predict = linear_predict(mouth_weights + always_happy)
    (prediction,) = predict(bright[np.newaxis])
    assert prediction.confidence == 1
    found = explained(bright, predict, method=method)["happiness"]
    assert found[MOUTH].mean() > 0.5 + found[EYES].mean()


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_ignores_the_face_has_an_empty_map(method, face, linear_predict):
    found = explained(face, linear_predict(np.zeros((3, 24, 32))), method=method)
    assert all(np.abs(each).max() < 1e-5 for each in found.values())


@pytest.mark.parametrize("method", METHODS)
def test_a_face_of_one_color_has_an_empty_map(method, mouth_weights, linear_predict):
    found = explained(np.full((24, 32, 1), 99, np.uint8), linear_predict(mouth_weights),
                      method=method)  # fmt: skip
    assert all(np.abs(each).max() < 1e-5 for each in found.values())


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_map_and_another_seed_a_similar_one(
    method, mouth_weights, bright, linear_predict
):
    predict = linear_predict(mouth_weights)
    first, same, other = (
        explained(bright, predict, method=method, seed=seed)["happiness"] for seed in (0, 0, 3)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    assert np.corrcoef(first.ravel(), other.ravel())[0, 1] > 0.7


def test_all_frames_of_a_clip_are_masked_alike(mouth_weights, bright, linear_predict):
    clip = np.stack([bright, bright])
    predict = linear_predict(mouth_weights)
    np.testing.assert_allclose(
        explained(clip, predict)["happiness"], explained(bright, predict)["happiness"], atol=1e-5
    )


def test_a_label_that_never_occurs_has_an_empty_map(bright):
    def predict(crops):
        return [Prediction(("a", "b"), np.array([1, 0], np.float32)) for _ in crops]

    assert all(np.abs(each).max() < 1e-5 for each in explained(bright, predict).values())


@pytest.mark.parametrize(
    "emotion, asked",
    [
        (None, ("Joy",)),
        ("anger", ("anger",)),
        ("HAPPY", ("Joy",)),
        (["neutral", "angry", "anger"], ("calm", "anger")),
        ("all", ("anger", "Joy", "calm")),
    ],
)
def test_emotions_are_asked_for_by_any_of_their_names(emotion, asked):
    prediction = Prediction(("anger", "Joy", "calm"), np.array([0.1, 0.6, 0.3], np.float32), 0.9)
    assert asked_labels(emotion, prediction) == asked


def test_a_label_called_all_is_that_label():
    prediction = Prediction(("all", "none"), np.array([0.1, 0.9], np.float32))
    assert asked_labels("all", prediction) == ("all",)


@pytest.mark.parametrize("emotion", ["fear", ["anger", "fear"], "", [], [None], 3])
def test_another_emotion_is_answered_with_the_known(emotion):
    prediction = Prediction(("anger", "calm"), np.array([0.1, 0.9], np.float32))
    with pytest.raises(LabelError, match=r"`emotion` must .* Received (none|.*Known: anger, calm)"):
        asked_labels(emotion, prediction)


def test_something_else_than_a_face_is_refused(mouth_weights, linear_predict):
    image = np.zeros((60, 60, 3), np.uint8)
    with pytest.raises(InputError, match=r"`face` must be a Face. Received tuple"):
        explain_face(image, (1, 2, 3, 4), linear_predict(mouth_weights), SPEC)
    with pytest.raises(InputError, match="`face` must have a box that shows a part of the image"):
        explain_face(image, Face(Box(90, 0, 99, 9)), linear_predict(mouth_weights), SPEC)
