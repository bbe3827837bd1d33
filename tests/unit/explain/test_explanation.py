import json

import numpy as np
import pytest

from emopy.errors import LabelError
from emopy.explain import REGIONS, Explanation, explain_face
from emopy.explain.explanation import _region_rows
from emopy.models import InputSpec
from emopy.types import Box, Face, Prediction

SPEC = InputSpec(48, 48)
PREDICTION = Prediction(("anger", "joy"), np.array([0.25, 0.75], np.float32))


@pytest.fixture
def make():
    """make(map, transform, size) -> Explanation of joy and, negative, of anger."""

    def make(found, transform=((1, 0, 0), (0, 1, 0)), size=(48, 48)):
        found = np.asarray(found, np.float32)
        maps = {"joy": found, "anger": -found}
        matrix = np.array(transform, np.float64)
        return Explanation(maps, PREDICTION, "rise", 4, 400, matrix, size, SPEC)

    return make


def test_the_first_map_is_that_of_the_first_emotion(make):
    explanation = make(np.ones((48, 48)))
    assert explanation.map is explanation.maps["joy"]


def test_a_map_is_placed_where_its_crop_was(make):
    ramp = np.add.outer(np.arange(48.0), 100 * np.arange(48.0))
    explanation = make(ramp, transform=((1, 0, -10), (0, 1, -20)), size=(80, 90))
    placed = explanation.on_image()
    assert placed.shape == (90, 80)
    assert placed.dtype == np.float32
    np.testing.assert_allclose(placed[20:68, 10:58], ramp, rtol=1e-4, atol=1e-2)
    placed[20:68, 10:58] = np.nan
    assert np.isnan(placed).all()


def test_a_map_is_enlarged_and_rotated_with_the_face(make):
    found = np.zeros((48, 48))
    found[30:34, 8:12] = 1
    # Four times as large and turned by a quarter: (x, y) of the image is at (y, 192 - x) / 4.
    explanation = make(found, transform=((0, 0.25, 0), (-0.25, 0, 48)), size=(192, 192))
    rows, columns = np.nonzero(explanation.on_image() > 0.5)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((192 - 4 * 32, 4 * 10), abs=1)


@pytest.mark.parametrize("name", ["anger", "angry", "Anger"])
def test_another_map_is_asked_for_by_any_name(make, name):
    explanation = make(np.full((48, 48), 2))
    assert (explanation.on_image(name) == -2).all()
    assert explanation.by_region(name) == dict.fromkeys(REGIONS, -2)


def test_a_map_that_was_not_made_is_answered_with_those_that_were(make):
    with pytest.raises(LabelError, match=r"`emotion` must be one that was explained. .*joy, anger"):
        make(np.ones((48, 48))).on_image("fear")


def test_regions_follow_the_framing_of_the_model():
    rows = _region_rows(InputSpec(100, 100))
    assert rows == [49, 69]
    wide = _region_rows(InputSpec(200, 200, margin=0.5))  # the same face in the middle
    assert wide == [99, 119]
    assert _region_rows(InputSpec(8, 8, margin=-0.4))[1] <= 8


def test_each_region_has_the_mean_of_its_rows(make):
    found = np.zeros((48, 48))
    found[:20], found[40:] = 1, 3
    regions = make(found).by_region()
    assert list(regions) == ["brows and eyes", "nose and cheeks", "mouth and chin"]
    assert regions["brows and eyes"] == pytest.approx(20 / 24, abs=0.01)
    assert regions["nose and cheeks"] == 0
    assert regions["mouth and chin"] == pytest.approx(3 * 8 / 15, abs=0.01)


def test_an_explanation_is_json(make):
    record = json.loads(json.dumps(make(np.full((48, 48), 1 / 3)).to_dict()))
    assert (record["method"], record["seed"], record["masks"]) == ("rise", 4, 400)
    assert record["transform"] == [[1, 0, 0], [0, 1, 0]]
    assert list(record["emotions"]) == ["joy", "anger"]
    joy = record["emotions"]["joy"]
    assert joy["probability"] == 0.75
    assert joy["regions"]["mouth and chin"] == 0.333333
    assert np.shape(joy["map"]) == (48, 48)
    assert joy["map"][0][0] == 0.333333


def test_its_text_names_the_regions(make):
    assert repr(make(np.ones((48, 48)))).startswith("Explanation(joy: brows and eyes +1.00, ")


def test_the_map_moves_with_the_face(linear_predict):
    """The same face elsewhere in an image has the same map there."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    weights = np.zeros((3, 48, 48))
    weights[0, 30:, 10:30] = 0.1
    maps, placed = [], []
    for left, top in ((0, 0), (37, 21)):
        image = np.zeros((90, 120, 3), np.uint8)
        image[top + 10 : top + 50, left + 20 : left + 50] = pixels
        face = Face(Box(left + 20, top + 10, left + 50, top + 50))
        explanation = explain_face(image, face, linear_predict(weights), SPEC, emotion="anger")
        assert explanation.face is face
        assert explanation.size == (120, 90)
        maps.append(explanation.map)
        placed.append(explanation.on_image()[top : top + 60, left : left + 70])
    np.testing.assert_array_equal(*maps)
    # OpenCV 4 rounds each coordinate to 1/32 pixel, twice here; OpenCV 5 does not.
    steepest = sum(np.abs(np.diff(maps[0], axis=axis)).max() for axis in (0, 1))
    np.testing.assert_allclose(*placed, atol=steepest / 32)
