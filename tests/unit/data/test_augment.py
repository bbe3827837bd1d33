import numpy as np
import pytest

from emopy.data.augment import Augmentation, augment, augment_batch
from emopy.errors import RecipeError

STRONG = Augmentation(
    rotation_deg=20, shift=0.1, zoom=0.1, shear_deg=5, flip=0.5, brightness=0.1, contrast=0.3,
    gamma=0.3, blur=0.5, noise=0.05, erase=0.5,
)  # fmt: skip


@pytest.fixture
def face():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (32, 24, 1), dtype=np.uint8)


def test_the_default_changes_nothing(face):
    np.testing.assert_array_equal(augment(face, Augmentation(), np.random.default_rng(0)), face)


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_type_are_kept_and_the_input_is_untouched(channels):
    face = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    before = face.copy()
    for seed in range(20):
        changed = augment(face, STRONG, np.random.default_rng(seed))
        assert (changed.shape, changed.dtype) == (face.shape, np.uint8)
    np.testing.assert_array_equal(face, before)


def test_every_frame_of_a_clip_is_changed_alike():
    frame = np.random.default_rng(0).integers(0, 256, (24, 24, 1), dtype=np.uint8)
    quiet = Augmentation(rotation_deg=20, shift=0.1, flip=0.5, brightness=0.2, blur=1, erase=1)
    clip = augment(np.stack([frame] * 3), quiet, np.random.default_rng(5))
    np.testing.assert_array_equal(clip[0], clip[1])
    np.testing.assert_array_equal(clip[0], clip[2])
    assert not np.array_equal(clip[0], frame)


def test_a_certain_flip_mirrors_the_face(face):
    mirrored = augment(face, Augmentation(flip=1.0), np.random.default_rng(0))
    np.testing.assert_array_equal(mirrored, face[:, ::-1])


def test_a_sample_changes_by_seed_epoch_and_row_only(face):
    faces = np.stack([face, face, face])
    both = augment_batch(faces, np.array([0, 2]), STRONG, seed=1, epoch=4)
    alone = augment_batch(faces, np.array([2]), STRONG, seed=1, epoch=4)
    np.testing.assert_array_equal(both[1], alone[0])
    assert not np.array_equal(both[0], both[1])
    later = augment_batch(faces, np.array([2]), STRONG, seed=1, epoch=5)
    assert not np.array_equal(alone, later)


@pytest.mark.parametrize(
    "setting", [{"fill": "mirror"}, {"flip": 1.5}, {"noise": -0.1}], ids=["fill", "flip", "noise"]
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(RecipeError, match=next(iter(setting))):
        Augmentation(**setting)
