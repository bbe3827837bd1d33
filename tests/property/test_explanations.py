import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from emopy.explain import METHODS, explain_crop
from emopy.explain.masks import make_masks
from emopy.types import Prediction

SIDE = 12
WEIGHTS = arrays(np.float64, (SIDE, SIDE), elements=st.floats(-0.1, 0.1))
CROPS = arrays(np.uint8, (SIDE, SIDE, 1))
SEEDS = st.integers(0, 2**32)


def logistic(weights, labels=("yes", "no")):
    """Function that predicts "yes" with log-odds linear in the pixels."""

    def predict(crops):
        odds = np.tensordot(crops[..., 0] / 255, weights, axes=2)
        yes = 1 / (1 + np.exp(-odds))
        columns = {"yes": yes, "no": 1 - yes}
        rows = np.stack([columns[label] for label in labels], axis=1)
        return [Prediction(labels, row.astype(np.float32)) for row in rows]

    return predict


def maps_of(crop, predict, **settings):
    (prediction,) = predict(crop[np.newaxis])
    return explain_crop(crop, predict, prediction, **settings)[0]


@given(CROPS, WEIGHTS, SEEDS)
@settings(max_examples=30)
def test_occlusion_of_a_linear_model_is_the_sum_of_what_each_patch_hides(crop, weights, seed):
    found = maps_of(crop, logistic(weights), method="occlusion", seed=seed)["yes"]
    hidden = 1 - make_masks(SIDE, SIDE, method="occlusion", seed=seed)
    detail = (crop[..., 0] - np.rint(crop.mean())) / 255
    falls = np.tensordot(hidden, weights * detail, axes=2)
    expected = np.tensordot(falls, hidden, axes=1) / hidden.sum(axis=0)
    np.testing.assert_allclose(found, expected, atol=2e-3)


@given(CROPS, WEIGHTS, SEEDS, st.sampled_from(list(METHODS)))
@settings(max_examples=30)
def test_of_two_labels_what_raises_one_lowers_the_other(crop, weights, seed, method):
    maps = maps_of(crop, logistic(weights), method=method, seed=seed)
    np.testing.assert_allclose(maps["yes"], -maps["no"], atol=1e-3)


@given(CROPS, WEIGHTS, SEEDS, st.sampled_from(list(METHODS)))
@settings(max_examples=30)
def test_the_order_of_the_labels_does_not_matter(crop, weights, seed, method):
    one = maps_of(crop, logistic(weights), method=method, seed=seed)
    other = maps_of(crop, logistic(weights, ("no", "yes")), method=method, seed=seed)
    for label, found in one.items():
        np.testing.assert_allclose(found, other[label], atol=1e-4)


@given(CROPS, WEIGHTS, SEEDS, st.sampled_from(list(METHODS)))
@settings(max_examples=30)
def test_the_same_seed_gives_the_same_map_bit_for_bit(crop, weights, seed, method):
    maps = [maps_of(crop, logistic(weights), method=method, seed=seed) for _ in range(2)]
    assert maps[0]["yes"].tobytes() == maps[1]["yes"].tobytes()
    assert np.isfinite(maps[0]["yes"]).all()
