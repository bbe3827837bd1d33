import numpy as np
import pytest

from emopy.data.augment import Augmentation, augment, augment_batch
from emopy.errors import RecipeError

STRONG = Augmentation(
    rotation_deg=20, shift=0.1, zoom=0.1, shear_deg=5, flip=0.5, brightness=0.1, contrast=0.3,
    gamma=0.3, blur=0.5, noise=0.05, erase=0.5,
)  # fmt: skip

PINNED = [(145, 8, 14, 13, 19), (73, 2, 5, 14, 10), (32, 11, 5, 15, 19), (163, 12, 11, 18, 13)]
"""Gray level, and first and last row and column of the patch, in epochs 0 to 3."""


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


def test_a_certain_vertical_flip_puts_the_face_upside_down(face):
    upended = augment(face, Augmentation(flip_vertical=1.0), np.random.default_rng(0))
    np.testing.assert_array_equal(upended, face[::-1])
    both = Augmentation(flip=1.0, flip_vertical=1.0)
    np.testing.assert_array_equal(augment(face, both, np.random.default_rng(0)), face[::-1, ::-1])


def test_a_channel_shift_moves_each_channel_by_itself_and_within_its_limit():
    face = np.full((8, 8, 3), 128, np.uint8)
    tinted = augment(face, Augmentation(channel_shift=0.2), np.random.default_rng(0))
    shifts = tinted.astype(int) - 128
    assert len(np.unique(shifts[0, 0])) == 3
    assert np.all(shifts == shifts[0, 0])
    assert 0 < np.abs(shifts).max() <= round(0.2 * 255)


def test_a_channel_shift_makes_a_gray_face_brighter_or_darker():
    face = np.full((8, 8, 1), 128, np.uint8)
    levels = {
        int(augment(face, Augmentation(channel_shift=0.2), np.random.default_rng(seed))[0, 0, 0])
        for seed in range(10)
    }
    assert min(levels) < 128 < max(levels)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_poor_jpeg_resembles_the_face_and_keeps_the_order_of_colors(channels):
    ramp = np.linspace(40, 200, 48).astype(np.uint8)
    face = np.stack([np.tile(ramp, (48, 1)) // (1 + channel) for channel in range(channels)], -1)
    stored = augment(face, Augmentation(jpeg=1.0), np.random.default_rng(0))
    assert stored.shape == face.shape
    assert not np.array_equal(stored, face)
    difference = np.abs(stored.astype(int) - face).mean(axis=(0, 1))
    assert np.all(difference < 12)


def test_a_constant_border_has_its_gray_value_in_every_channel():
    face = np.full((32, 32, 3), 255, np.uint8)
    settings = Augmentation(rotation_deg=45, fill="constant", fill_value=128)
    turned = augment(face, settings, np.random.default_rng(0))
    assert turned[0, 0].tolist() == [128, 128, 128]
    assert turned[16, 16].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    "setting",
    [{"rotation_deg": 30}, {"shift": 0.3}, {"zoom": 0.4}, {"shear_deg": 30}, {"brightness": 0.4},
     {"contrast": 0.9}, {"gamma": 0.9}, {"blur": 1.0}, {"noise": 0.3}, {"erase": 1.0}],
    ids=lambda setting: next(iter(setting)),
)  # fmt: skip
def test_each_setting_alone_changes_the_face(setting, face):
    changed = augment(face, Augmentation(**setting), np.random.default_rng(1))
    assert not np.array_equal(changed, face)


def test_every_frame_of_a_clip_gets_the_same_tint_jpeg_and_vertical_flip():
    frame = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    settings = Augmentation(channel_shift=0.2, jpeg=1.0, flip_vertical=1.0)
    clip = augment(np.stack([frame] * 3), settings, np.random.default_rng(5))
    np.testing.assert_array_equal(clip[0], clip[1])
    np.testing.assert_array_equal(clip[0], clip[2])


def test_chance_is_asked_in_the_order_it_always_was():
    """A recipe stands for the faces it made: these numbers were written down once, for good."""
    gray = np.full((1, 20, 20, 1), 100, np.uint8)
    settings = Augmentation(brightness=0.3, erase=1.0)
    seen = []
    for epoch in range(4):
        made = augment_batch(gray, np.array([0]), settings, seed=7, epoch=epoch)[0, ..., 0]
        level, patch = int(made[0, 0]), np.argwhere(made != made[0, 0])
        seen.append((level, *patch.min(axis=0).tolist(), *patch.max(axis=0).tolist()))
    assert seen == PINNED


@pytest.mark.parametrize("later", [{"flip_vertical": 1.0}, {"jpeg": 1.0}, {"channel_shift": 0.1}])
def test_later_settings_leave_what_others_draw_alone(later):
    face = np.random.default_rng(0).integers(0, 256, (24, 24, 1), dtype=np.uint8)
    settings = {"erase": 1.0, "flip": 0.5, "contrast": 0.3}
    flat, without, with_it = (
        augment(sample, Augmentation(**extra), np.random.default_rng(3))
        for sample, extra in (
            (np.full_like(face, 100), settings),
            (face, settings),
            (face, settings | later),
        )
    )
    patch = flat != flat[0, 0]
    assert 10 < patch.sum() < 24 * 24 / 2
    np.testing.assert_array_equal(without[patch], with_it[patch])
    assert not np.array_equal(without, with_it)


@pytest.mark.parametrize(
    "setting",
    [{"fill": "mirror"}, {"flip": 1.5}, {"noise": -0.1}, {"jpeg": 2}, {"flip_vertical": 1.1},
     {"channel_shift": -1}, {"fill_value": 256}, {"zoom": 1}, {"contrast": 1.5}, {"shear_deg": 90}],
    ids=lambda setting: next(iter(setting)),
)  # fmt: skip
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(RecipeError, match=next(iter(setting))):
        Augmentation(**setting)
