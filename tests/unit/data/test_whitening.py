import numpy as np
import pytest

from emopy.data.whitening import Whitening
from emopy.errors import DataError


@pytest.fixture
def faces():
    """Smooth random faces: neighboring pixels go along with each other."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(0, 1, (400, 4, 4, 1))
    smooth = coarse.repeat(2, axis=1).repeat(2, axis=2)
    return (smooth + rng.normal(0, 0.3, (400, 8, 8, 1))).astype(np.float32)


def test_whitened_pixels_are_uncorrelated_and_of_unit_variance(faces):
    before = np.corrcoef(faces.reshape(400, -1).T)
    assert before[0, 1] > 0.8
    whitened = Whitening.fit(faces).apply(faces)
    assert (whitened.shape, whitened.dtype) == (faces.shape, np.float32)
    covariance = np.cov(whitened.reshape(400, -1).T, bias=True)
    np.testing.assert_allclose(covariance, np.eye(64), atol=1e-3)


def test_each_whitened_pixel_goes_along_with_its_own_pixel_most(faces):
    whitened = Whitening.fit(faces).apply(faces).reshape(400, -1)
    together = np.corrcoef(whitened.T, faces.reshape(400, -1).T)[:64, 64:]
    np.testing.assert_array_equal(together.argmax(axis=1), np.arange(64))


def test_frames_of_a_clip_are_whitened_as_stills_are(faces):
    whitening = Whitening.fit(faces.reshape(200, 2, 8, 8, 1))
    np.testing.assert_allclose(whitening.matrix, Whitening.fit(faces).matrix)
    clip = whitening.apply(faces[:6].reshape(3, 2, 8, 8, 1))
    np.testing.assert_allclose(clip.reshape(6, 8, 8, 1), whitening.apply(faces[:6]), atol=1e-5)


def test_a_large_epsilon_spares_directions_without_variance():
    rng = np.random.default_rng(0)
    faces = np.zeros((50, 8, 8, 1), np.float32)
    faces[:, 0, 0, 0] = rng.normal(0, 1, 50)
    matrix = Whitening.fit(faces, epsilon=0.01).matrix
    assert np.abs(matrix).max() == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize(
    ("images", "epsilon", "message"),
    [
        (np.zeros((1, 8, 8, 1)), 1e-6, "two faces or more"),
        (np.zeros((4, 8, 8)), 1e-6, "two faces or more"),
        (np.zeros((2, 200, 200, 1)), 1e-6, "at most"),
        (np.zeros((2, 8, 8, 1)), 0, "`epsilon` must be positive"),
    ],
)
def test_what_cannot_be_whitened_is_refused(images, epsilon, message):
    with pytest.raises(DataError, match=message):
        Whitening.fit(images, epsilon)


def test_faces_of_another_size_are_refused(faces):
    with pytest.raises(DataError, match=r"shape \(8, 8, 1\)"):
        Whitening.fit(faces).apply(faces[:, :7])
