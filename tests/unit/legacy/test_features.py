import numpy as np
import pytest

from emopy.data.features import hog_features, hog_images
from emopy.legacy.adapters.features import FeatureExtractor

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
HOG = {"orientations": 8, "pixels_per_cell": (8, 8), "cells_per_block": (1, 1)}


def test_images_are_given_unless_vectors_are_asked_for():
    drawn, numbers = FeatureExtractor(FACES), FeatureExtractor(FACES, return_2d_array=False)
    for extractor in (drawn, numbers):
        extractor.add_feature("hog", HOG)
    assert np.array_equal(drawn.extract(), hog_images(FACES[..., None], **HOG))
    assert np.array_equal(numbers.extract(), hog_features(FACES[..., None], **HOG))


def test_an_unknown_kind_is_a_value_error():
    with pytest.raises(ValueError, match="hog, lbp"):
        FeatureExtractor(FACES).add_feature("sift", {})
