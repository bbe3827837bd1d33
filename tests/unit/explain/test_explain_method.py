"""`FERModel.explain`, with real models and real files."""

import numpy as np
import pytest

from emopy import Box, Face, FERModel
from emopy.errors import InputError, LabelError
from emopy.explain import METHODS
from emopy.models import load_model
from emopy.samples import sample_images


@pytest.fixture(scope="module")
def model(linear_model):
    return FERModel(["calm", "anger", "happiness"], model=linear_model)


@pytest.fixture(scope="module")
def crop():
    return np.random.default_rng(2).integers(0, 256, (48, 48), dtype=np.uint8)


def test_the_largest_face_of_a_photograph_is_explained(model, astronaut, astronaut_file):
    explanation = model.explain(astronaut_file)
    (face,) = model.predict(astronaut_file).faces
    assert explanation.face.box == face.box
    np.testing.assert_array_equal(
        explanation.prediction.probabilities, face.prediction.probabilities
    )
    assert list(explanation.maps) == [face.emotion]
    assert explanation.map.shape == (48, 48)
    placed = explanation.on_image()
    assert placed.shape == astronaut.shape[:2]
    rows, columns = np.nonzero(np.isfinite(placed))
    assert (columns.mean(), rows.mean()) == pytest.approx(face.box.center, abs=20)


def test_a_face_of_the_image_can_be_chosen(model, astronaut):
    face = Face(Box(300, 300, 400, 420))
    explanation = model.explain(astronaut, "calm", face=face)
    assert explanation.face is face
    assert not np.isfinite(explanation.on_image()[:200]).any()
    (found,) = model.predict(astronaut, faces=[face])
    np.testing.assert_array_equal(model.explain(astronaut, "calm", face=found).map, explanation.map)


def test_an_image_of_the_input_size_is_a_face_crop(model, crop):
    explanation = model.explain(crop, "all")
    (prediction,) = model.predict_faces([crop])
    assert explanation.face is None
    np.testing.assert_array_equal(explanation.prediction.probabilities, prediction.probabilities)
    assert list(explanation.maps) == ["calm", "anger", "happiness"]
    np.testing.assert_allclose(explanation.on_image(), explanation.map, atol=1e-6)


def test_a_model_that_takes_the_full_image_explains_a_crop_of_any_size(linear_model, crop):
    model = FERModel(model=linear_model, detector="full-image")
    large = np.repeat(np.repeat(crop, 3, axis=0), 3, axis=1)
    assert model.explain(large).on_image().shape == (144, 144)
    assert np.isfinite(model.explain(large).on_image()).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_map(model, crop, method):
    first, same, other = (model.explain(crop, method=method, seed=s).map for s in (1, 1, 2))
    assert first.tobytes() == same.tobytes() != other.tobytes()


def test_the_prior_of_the_model_is_explained(linear_model, crop):
    never = FERModel(["anger", "fear"], model=linear_model, prior="training").explain(crop, "fear")
    assert never.map.any()


def test_an_image_without_a_face_says_what_to_give(model):
    with pytest.raises(InputError, match=r"`source` must show a face.*Give `face`, or a face crop"):
        model.explain(np.zeros((90, 90, 3), np.uint8))


@pytest.mark.parametrize(
    "settings, error",
    [
        ({"emotion": "fear"}, LabelError),
        ({"method": "gradcam"}, InputError),
        ({"seed": -1}, InputError),
        ({"face": (1, 2, 3, 4)}, InputError),
        ({"face": Face(Box(-9, -9, -1, -1))}, InputError),
    ],
)
def test_bad_arguments_are_named(model, crop, settings, error):
    (name,) = settings
    with pytest.raises(error, match=f"`{name}` must .* Received"):
        model.explain(crop, **settings)


def test_a_missing_image_is_refused(model):
    with pytest.raises(InputError, match=r"missing\.jpg"):
        model.explain("missing.jpg")


def test_the_smile_explains_happiness_to_the_bundled_model():
    explanation = FERModel().explain(sample_images()["happiness"])
    regions = explanation.by_region()
    assert regions["mouth and chin"] > 2 * abs(regions["brows and eyes"])


def test_a_bundled_model_runs_on_a_few_hundred_copies():
    model = FERModel(model="emopy-tiny")
    explanation = model.explain(sample_images()["surprise"])
    assert 100 < explanation.masks <= 256
    assert load_model("emopy-tiny").card.input == explanation.spec
