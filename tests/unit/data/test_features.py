import sys

import numpy as np
import pytest

from emopy.data.features import (
    FeatureExtractor,
    hog_features,
    hog_images,
    lbp_features,
    lbp_images,
)
from emopy.errors import DataError, MissingExtraError

skimage = pytest.importorskip("skimage")


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, (4, 48, 40, 1), dtype=np.uint8)


def stripes(direction: str, n: int = 1):
    wave = (127 * (np.arange(32) // 2 % 2)).astype(np.uint8)
    face = np.tile(wave, (32, 1)) if direction == "upright" else np.tile(wave[:, None], (1, 32))
    return np.repeat(face[None, ..., None], n, axis=0)


def test_hog_has_one_histogram_per_cell_of_each_block(faces):
    features = hog_features(faces, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))
    assert (features.shape, features.dtype) == ((4, 5 * 4 * 4 * 9), np.float32)
    assert 0 <= features.min() < features.max() <= 1


def test_hog_tells_the_direction_of_edges_and_not_their_light():
    upright, level = hog_features(np.concatenate([stripes("upright"), stripes("level")]))
    assert np.abs(upright - level).max() > 0.2
    brighter = hog_features(stripes("upright") + np.uint8(50))[0]
    np.testing.assert_allclose(brighter, upright, atol=1e-5)


def test_lbp_has_one_histogram_per_cell_that_sums_to_one(faces):
    features = lbp_features(faces, radius=2, n_points=12, pixels_per_cell=(16, 20))
    assert (features.shape, features.dtype) == ((4, 3 * 2 * 14), np.float32)
    np.testing.assert_allclose(features.reshape(4, 6, 14).sum(axis=2), 1, atol=1e-6)


def test_lbp_of_the_cells_is_what_scikit_image_counts(faces):
    from skimage.feature import local_binary_pattern

    features = lbp_features(faces, pixels_per_cell=(16, 20)).reshape(4, 3, 2, 10)
    codes = local_binary_pattern(faces[2, ..., 0], 8, 1, "uniform").astype(int)
    counted = np.bincount(codes[16:32, 20:40].ravel(), minlength=10) / 320
    np.testing.assert_allclose(features[2, 1, 1], counted, atol=1e-6)


def test_what_fills_no_cell_is_left_out_at_all_sides(faces):
    uneven = lbp_features(faces, pixels_per_cell=(9, 9))
    assert uneven.shape == (4, 5 * 4 * 10)


def test_features_do_not_depend_on_the_other_faces(faces):
    for extract in (hog_features, lbp_features, hog_images, lbp_images):
        np.testing.assert_array_equal(extract(faces)[2], extract(faces[2:3])[0])


def test_color_is_seen_as_gray(faces):
    rgb = np.repeat(faces, 3, axis=3)
    np.testing.assert_array_equal(lbp_features(rgb), lbp_features(faces))
    np.testing.assert_allclose(hog_features(rgb), hog_features(faces))


def test_images_have_the_size_of_the_faces_and_use_the_whole_range(faces):
    for images in (hog_images(faces), lbp_images(faces)):
        assert (images.shape, images.dtype) == ((4, 48, 40), np.uint8)
        assert images.max() == 255


def test_an_even_face_has_a_black_image():
    even = np.full((1, 16, 16, 1), 90, np.uint8)
    assert hog_images(even).max() == 0


def test_an_extractor_puts_kinds_together_in_order(faces):
    extractor = FeatureExtractor(faces)
    extractor.add_feature("lbp", {"radius": 2, "n_points": 10})
    extractor.add_feature("hog", {"orientations": 6, "pixels_per_cell": (4, 4)})
    splits = [
        lbp_features(faces, radius=2, n_points=10),
        hog_features(faces, orientations=6, pixels_per_cell=(4, 4)),
    ]
    np.testing.assert_array_equal(extractor.extract(), np.concatenate(splits, axis=1))


def test_an_extractor_draws_kinds_side_by_side(faces):
    extractor = FeatureExtractor(faces)
    extractor.add_feature("hog")
    extractor.add_feature("lbp", {"radius": 2, "pixels_per_cell": (4, 4)})
    images = extractor.images()
    assert images.shape == (4, 48, 80)
    np.testing.assert_array_equal(images[:, :, 40:], lbp_images(faces, radius=2))


def test_a_classifier_learns_from_the_features():
    svm = pytest.importorskip("sklearn.svm")
    rng = np.random.default_rng(0)
    clean = np.concatenate([stripes("upright", 30), stripes("level", 30)]).astype(int)
    noisy = np.clip(clean + rng.normal(60, 30, clean.shape), 0, 255).astype(np.uint8)
    extractor = FeatureExtractor(noisy)
    extractor.add_feature("hog")
    extractor.add_feature("lbp")
    features, truth = extractor.extract(), np.repeat([0, 1], 30)
    classifier = svm.LinearSVC().fit(features[::2], truth[::2])
    assert classifier.score(features[1::2], truth[1::2]) > 0.9


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("hogg", {}, "Did you mean 'hog'"),
        ("hog", {"orientation": 8}, "Did you mean 'orientations'"),
        ("lbp", {"cells_per_block": (1, 1)}, "settings of lbp"),
    ],
)
def test_an_unknown_kind_or_setting_is_refused_with_the_nearest(faces, kind, params, message):
    with pytest.raises(DataError, match=message):
        FeatureExtractor(faces).add_feature(kind, params)


def test_an_extractor_without_features_is_refused(faces):
    with pytest.raises(DataError, match="add_feature"):
        FeatureExtractor(faces).extract()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda faces: hog_features(faces, pixels_per_cell=(64, 8)), "pixels_per_cell"),
        (lambda faces: hog_features(faces, cells_per_block=(7, 1)), "6 × 5 cells"),
        (lambda faces: hog_features(faces, orientations=0), "orientations"),
        (lambda faces: lbp_features(faces, pixels_per_cell=(0, 8)), "pixels_per_cell"),
        (lambda faces: lbp_features(faces, radius=0), "radius"),
        (lambda faces: lbp_images(faces[..., 0]), "uint8 faces"),
        (lambda faces: hog_images(faces / 255), "uint8 faces"),
        (lambda faces: FeatureExtractor(faces[:0]), "one face or more"),
    ],
)
def test_what_does_not_suit_is_refused(faces, call, message):
    with pytest.raises(DataError, match=message):
        call(faces)


def test_without_scikit_image_the_extra_is_named(faces, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingExtraError, match=r"emopy\[features\]"):
        lbp_features(faces)
