import numpy as np
import pytest

from emopy.errors import ModelNotFoundError, RecipeError
from emopy.labels import ALL_EMOTIONS
from emopy.models import InputSpec, ModelCard, OnnxSession, load_model, softmax, write_model_folder
from emopy.train.recipe import FitSettings
from emopy.train.targets import (
    Teachers,
    cutmix,
    logit_offsets,
    mixup,
    remaining_prior,
    sampling_weights,
    sharpen_targets,
    training_prior,
)

LABELS = ("anger", "fear", "neutral")


def one_hot(counts):
    return np.repeat(np.eye(len(counts), dtype=np.float32), counts, axis=0)


@pytest.mark.parametrize("balance", [0.0, 0.3, 0.5, 1.0])
def test_labels_are_drawn_by_a_power_of_their_proportion(balance):
    targets = one_hot([60, 30, 10])
    weights = sampling_weights(targets, balance)
    expected = np.array([0.6, 0.3, 0.1]) ** (1 - balance)
    np.testing.assert_allclose(weights @ targets, expected / expected.sum(), rtol=1e-6)
    assert len(set(weights[:60])) == 1


def test_soft_targets_count_for_each_of_their_labels():
    targets = np.float32([[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0]])
    proportions = targets.mean(axis=0)
    raw = [1 / proportions[0], 1 / proportions[0], 0.5 / proportions[0] + 0.5 / proportions[1]]
    np.testing.assert_allclose(sampling_weights(targets, 1.0), raw / np.sum(raw), rtol=1e-6)


def test_mixup_blends_images_and_targets_with_the_same_weight():
    images = np.arange(0, 250, 25, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 4, 4, 1), np.uint8
    )
    targets = np.eye(10, dtype=np.float32)
    mixed, both = mixup(images, targets, 1.0, np.random.default_rng(0))
    assert (mixed.dtype, both.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose(both.sum(axis=1), 1, rtol=1e-6)
    assert (np.count_nonzero(both, axis=1) == 2).sum() >= 7
    # One number per image here, so the image tells the weights: the sum of weight * gray.
    np.testing.assert_allclose(mixed[:, 0, 0, 0], both @ images[:, 0, 0, 0], atol=0.51)


def test_mixup_blends_clips_frame_by_frame():
    clips = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 4, 1), np.uint8)
    mixed, _ = mixup(clips, np.eye(6, dtype=np.float32), 0.4, np.random.default_rng(1))
    assert mixed.shape == clips.shape


@pytest.mark.parametrize("frames", [(), (3,)])
def test_cutmix_mixes_targets_by_the_area_of_the_rectangle(frames):
    faces = np.arange(0, 250, 10, dtype=np.uint8)[:, None, None, None]
    images = np.broadcast_to(faces.reshape(25, *[1] * (3 + len(frames))), (25, *frames, 24, 16, 1))
    mixed, both = cutmix(images, np.eye(25, dtype=np.float32), 1.0, np.random.default_rng(0))
    assert (mixed.dtype, both.dtype, mixed.shape) == (np.uint8, np.float32, images.shape)
    first, last = mixed.reshape(25, -1, 24, 16)[:, 0], mixed.reshape(25, -1, 24, 16)[:, -1]
    np.testing.assert_array_equal(first, last)
    for face in range(25):
        proportions = np.bincount(first[face].ravel() // 10, minlength=25) / (24 * 16)
        np.testing.assert_allclose(both[face], proportions, atol=1e-6)
        foreign = first[face] != 10 * face
        rows, columns = foreign.any(1), foreign.any(0)
        assert foreign.sum() == rows.sum() * columns.sum()
    stayed = both[np.arange(25), np.arange(25)]
    assert stayed.min() < 0.3
    assert stayed.max() > 0.7


@pytest.mark.parametrize("power", [0.5, 2.0])
def test_sharpened_targets_are_powers_that_sum_to_one(power):
    targets = np.float32([[0.75, 0.25, 0], [1, 0, 0]])
    changed = sharpen_targets(targets, power)
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed[0, 0] / changed[0, 1], 3**power, rtol=1e-5)
    np.testing.assert_allclose(changed.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(changed[1], targets[1])


def test_a_high_exponent_leaves_the_most_frequent_label_only():
    targets = np.float32([[0.6, 0.4] + [0] * 18, [0.05] * 20])
    changed = sharpen_targets(targets, 300.0)
    np.testing.assert_allclose(changed[0, :2], [1, 0], atol=1e-6)
    np.testing.assert_allclose(changed[1], 0.05, rtol=1e-5)


def test_teachers_predict_the_training_labels_at_their_own_input_size(linear_model):
    faces = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), np.uint8)
    targets = one_hot([2, 2, 1])
    teachers = Teachers([str(linear_model)] * 2, LABELS, weight=0.3, temperature=2.0)
    columns = [ALL_EMOTIONS.index(label) for label in LABELS]
    answer = softmax(load_model(linear_model).logits(faces)[:, columns], 2.0)
    distilled = teachers.distill(faces, targets)
    assert distilled.dtype == np.float32
    np.testing.assert_allclose(distilled, 0.7 * targets + 0.3 * answer, atol=1e-6)
    assert np.abs(distilled - targets).max() > 0.05


def test_several_teachers_have_equal_weight(linear_model, linear_weights, tmp_path):
    other = brighter(linear_weights, tmp_path)
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), np.uint8)
    one, two, both = (
        Teachers(models, LABELS, weight=1.0).distill(faces, one_hot([2, 2, 1]))
        for models in ([str(linear_model)], [str(other)], [str(linear_model), str(other)])
    )
    assert np.abs(one - two).max() > 0.01
    np.testing.assert_allclose(both, (one + two) / 2, atol=1e-6)


def brighter(weights, tmp_path):
    """The same network with another standardization on its card."""
    loose = tmp_path / "loose.onnx"
    loose.write_bytes(weights)
    spec = InputSpec(48, 48, mean=0.1, std=0.5)
    crops = np.zeros((1, 48, 48, 1), np.uint8)
    seen = np.full((1, 48, 48, 1), -0.2, np.float32)
    return write_model_folder(
        tmp_path / "brighter",
        card=ModelCard("brighter", "1", ALL_EMOTIONS, spec),
        weights=weights,
        golden_crops=crops,
        golden_logits=OnnxSession(loose).run(seen),
    )


def test_a_teacher_with_other_labels_or_frames_is_refused(linear_model):
    with pytest.raises(RecipeError, match=r"must have all training labels.*boredom"):
        Teachers([str(linear_model)], ("anger", "boredom"))
    with pytest.raises(RecipeError, match=r"model for clips of 4 frames.*a model for stills"):
        Teachers([str(linear_model)], LABELS, frames=4)
    with pytest.raises(ModelNotFoundError, match="nowhere"):
        Teachers(["nowhere"], LABELS)


def test_the_training_prior_follows_sampling_and_teachers(splits, linear_model):
    train = splits.train
    np.testing.assert_array_equal(
        training_prior(train, FitSettings(), None), train.targets.mean(axis=0)
    )
    rare = train.take(np.flatnonzero((train.truth > 0) | (np.arange(len(train)) < 20)))
    assert training_prior(rare, FitSettings(), None).min() < 0.1
    even = FitSettings(class_balanced_sampling=1.0)
    np.testing.assert_allclose(training_prior(rare, even, None), 1 / 3, rtol=1e-6)
    teachers = Teachers([str(linear_model)], LABELS, weight=0.4)
    distilled = teachers.distill(rare.images, rare.targets)
    np.testing.assert_allclose(
        training_prior(rare, even, teachers),
        sampling_weights(rare.targets, 1.0) @ distilled,
        rtol=1e-5,
    )


def test_logit_offsets_and_remaining_prior_add_up_to_the_training_prior():
    prior = np.array([0.6, 0.3, 0.1, 0.0])
    np.testing.assert_allclose(logit_offsets(prior, 0.5)[:3], 0.5 * np.log(prior[:3]), rtol=1e-6)
    assert logit_offsets(prior, 0.5)[3] == 0
    for adjustment in (0.0, 0.5, 1.0, 1.5):
        kept = remaining_prior(prior, adjustment)
        assert kept.sum() == pytest.approx(1)
        assert kept[3] == 0
        joint = kept[:3] * np.exp(logit_offsets(prior, adjustment)[:3])
        np.testing.assert_allclose(joint / joint.sum(), prior[:3], rtol=1e-5)
