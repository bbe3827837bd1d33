import numpy as np
import pytest
from PIL import Image

from emopy import FERModel
from emopy.errors import InputError
from emopy.explain import draw_explanations, explain_face
from emopy.explain.draw import face_image, overlay
from emopy.models import InputSpec
from emopy.types import Box, Face, Prediction

SPEC = InputSpec(48, 48)


def predict(crops):
    """Happiness comes from a bright lower half."""
    logits = crops[:, 24:].mean(axis=(1, 2, 3)) / 64
    p = 1 / (1 + np.exp(-logits))
    return [Prediction(("happiness", "neutral"), np.array([x, 1 - x], np.float32)) for x in p]


@pytest.fixture(scope="module")
def image():
    """A photograph of 120 × 100 pixels whose faces are dark above and bright below."""
    image = np.full((100, 120, 3), 60, np.uint8)
    image[60:, :, :] = 220
    return image


@pytest.fixture(scope="module")
def explained(image):
    def explained(*lefts, emotion=None):
        faces = [Face(Box(left, 30, left + 40, 90)) for left in lefts]
        return [explain_face(image, face, predict, SPEC, emotion=emotion) for face in faces]

    return explained


def test_each_face_has_a_row_and_each_emotion_a_column(image, explained):
    one = draw_explanations(image, explained(10))
    two = draw_explanations(image, explained(10, 60))
    both = draw_explanations(image, explained(10, emotion="all"))
    assert one.dtype == np.uint8
    assert two.shape[0] == 2 * one.shape[0]
    assert both.shape[1] >= one.shape[1] + 240
    assert both.shape[0] == one.shape[0]


def test_the_drawing_shows_orange_where_the_map_raises_and_blue_where_it_lowers(image, explained):
    (explanation,) = explained(10)
    drawn = draw_explanations(image, [explanation]).astype(int)
    orange, blue = drawn[..., 0] - drawn[..., 2] > 60, drawn[..., 2] - drawn[..., 0] > 60
    assert orange.sum() > 2000
    assert orange.sum() > 3 * blue.sum()


def test_an_explanation_is_shown_as_its_drawing(image, tmp_path):
    Image.fromarray(image).save(tmp_path / "a.png")
    small = FERModel(["happiness", "anger"], model="emopy-tiny", detector="full-image")
    explanation = small.explain(tmp_path / "a.png", "all")
    shown = explanation.show()
    assert isinstance(shown, Image.Image)
    assert np.array_equal(np.asarray(shown), draw_explanations(image, [explanation]))
    assert np.array_equal(np.asarray(shown), np.asarray(explanation.show(image)))
    with pytest.raises(InputError, match="must be the image that was explained"):
        explanation.show(image[:50])
    with pytest.raises(InputError, match=r"of an array. Type: explanation.show\(image\)"):
        small.explain(image).show()


def test_the_image_and_the_explanations_stay_as_they_are(image, explained):
    (explanation,) = explained(10)
    before, found = image.copy(), explanation.map.copy()
    draw_explanations(image, [explanation])
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(explanation.map, found)


def test_colors_of_opposite_effects_differ_for_every_kind_of_color_blindness():
    """Machado et al. 2009, https://doi.org/10.1109/TVCG.2009.113: protan, deutan, tritan."""
    simulations = [
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]],
    ]  # fmt: skip
    gray = np.full((1, 2, 3), 128, np.uint8)
    colors = overlay(gray, np.array([[1, -1]], np.float32), 1.0)[0] / 255
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    for simulation in simulations:
        one, other = (np.array(simulation) @ linear.T).T
        assert np.abs(one - other).max() > 0.15


def test_no_effect_leaves_the_face_gray():
    face = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    drawn = overlay(face, np.zeros((6, 4), np.float32), 0.5)
    assert (drawn == drawn[..., :1]).all()
    assert drawn.shape == face.shape


def test_the_face_is_cut_out_as_the_model_takes_it(image, explained):
    (explanation,) = explained(10)
    large = face_image(image, explanation, 2.5)
    assert large.shape == (120, 120, 3)
    assert large[0].mean() < 100 < large[-1].mean()


def test_many_labels_and_odd_names_are_drawn(image):
    labels = tuple(f"label {i}\n" for i in range(40))

    def many(crops):
        return [Prediction(labels, np.full(40, 1 / 40, np.float32)) for _ in crops]

    drawn = draw_explanations(image, [explain_face(image, None, many, SPEC)])
    assert drawn.shape[0] < 400


@pytest.mark.parametrize("wrong", [np.zeros((100, 119, 3), np.uint8), np.zeros((100, 120), "u1")])
def test_another_image_is_refused(wrong, explained):
    with pytest.raises(InputError, match="`image` must be"):
        draw_explanations(wrong, explained(10))


def test_nothing_to_draw_is_refused(image):
    with pytest.raises(InputError, match="`explanations` must hold one or more"):
        draw_explanations(image, [])


def test_a_face_of_a_very_wide_image_is_placed_and_drawn():
    """OpenCV moves images of up to 32,767 pixels only."""
    image = np.zeros((60, 40_000, 3), np.uint8)
    image[30:, 39_000:] = 200
    face = Face(Box(39_480, 5, 39_520, 55))
    explanation = explain_face(image, face, predict, SPEC)
    rows, columns = np.nonzero(np.isfinite(explanation.on_image()))
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(face.box.center, abs=1)
    assert draw_explanations(image, [explanation]).max() > 200


def test_a_large_face_is_averaged_not_thinned_out(explained):
    image = np.zeros((2000, 2000, 3), np.uint8)
    image[::2] = 255  # lines that thinning out would keep or lose altogether
    explanation = explain_face(image, Face(Box(0, 0, 2000, 2000)), predict, SPEC)
    assert 100 < face_image(image, explanation, 5).mean() < 155
    assert face_image(image, explanation, 5).std() < 30
