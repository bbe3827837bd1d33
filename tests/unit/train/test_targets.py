import numpy as np
import pytest

from emopy.errors import ModelNotFoundError, RecipeError
from emopy.labels import ALL_EMOTIONS
from emopy.models import InputSpec, ModelCard, OnnxSession, load_model, softmax, write_model_folder
from emopy.train.recipe import FitSettings
from emopy.train.targets import (
    Teachers,
    cut_pairs,
    face_weights,
    kept_shares,
    logit_shift,
    mix_pairs,
    seen_shares,
    sharpened,
)

LABELS = ("anger", "fear", "neutral")


def one_hot(counts):
    return np.repeat(np.eye(len(counts), dtype=np.float32), counts, axis=0)


@pytest.mark.parametrize("balance", [0.0, 0.3, 0.5, 1.0])
def test_labels_are_drawn_by_a_power_of_their_share(balance):
    targets = one_hot([60, 30, 10])
    weights = face_weights(targets, balance)
    expected = np.array([0.6, 0.3, 0.1]) ** (1 - balance)
    np.testing.assert_allclose(weights @ targets, expected / expected.sum(), rtol=1e-6)
    assert len(set(weights[:60])) == 1


def test_a_face_with_soft_targets_counts_for_each_of_its_labels():
    targets = np.float32([[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0]])
    shares = targets.mean(axis=0)
    raw = [1 / shares[0], 1 / shares[0], 0.5 / shares[0] + 0.5 / shares[1]]
    np.testing.assert_allclose(face_weights(targets, 1.0), raw / np.sum(raw), rtol=1e-6)


def test_a_pair_is_mixed_with_its_targets_in_the_same_share():
    images = np.arange(0, 250, 25, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 4, 4, 1), np.uint8
    )
    targets = np.eye(10, dtype=np.float32)
    mixed, both = mix_pairs(images, targets, 1.0, np.random.default_rng(0))
    assert (mixed.dtype, both.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose(both.sum(axis=1), 1, rtol=1e-6)
    assert (np.count_nonzero(both, axis=1) == 2).sum() >= 7
    # One number per image here, so the image tells the shares: the sum of share * gray.
    np.testing.assert_allclose(mixed[:, 0, 0, 0], both @ images[:, 0, 0, 0], atol=0.51)


def test_clips_are_mixed_frame_by_frame():
    clips = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 4, 1), np.uint8)
    mixed, _ = mix_pairs(clips, np.eye(6, dtype=np.float32), 0.4, np.random.default_rng(1))
    assert mixed.shape == clips.shape


@pytest.mark.parametrize("frames", [(), (3,)])
def test_a_rectangle_of_another_face_brings_as_much_of_its_target(frames):
    faces = np.arange(0, 250, 10, dtype=np.uint8)[:, None, None, None]
    images = np.broadcast_to(faces.reshape(25, *[1] * (3 + len(frames))), (25, *frames, 24, 16, 1))
    mixed, both = cut_pairs(images, np.eye(25, dtype=np.float32), 1.0, np.random.default_rng(0))
    assert (mixed.dtype, both.dtype, mixed.shape) == (np.uint8, np.float32, images.shape)
    first, last = mixed.reshape(25, -1, 24, 16)[:, 0], mixed.reshape(25, -1, 24, 16)[:, -1]
    np.testing.assert_array_equal(first, last)
    for face in range(25):
        shares = np.bincount(first[face].ravel() // 10, minlength=25) / (24 * 16)
        np.testing.assert_allclose(both[face], shares, atol=1e-6)
        foreign = first[face] != 10 * face
        rows, columns = foreign.any(1), foreign.any(0)
        assert foreign.sum() == rows.sum() * columns.sum()
    stayed = both[np.arange(25), np.arange(25)]
    assert stayed.min() < 0.3
    assert stayed.max() > 0.7


@pytest.mark.parametrize("power", [0.5, 2.0])
def test_sharpened_targets_are_powers_that_sum_to_one(power):
    targets = np.float32([[0.75, 0.25, 0], [1, 0, 0]])
    changed = sharpened(targets, power)
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed[0, 0] / changed[0, 1], 3**power, rtol=1e-5)
    np.testing.assert_allclose(changed.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(changed[1], targets[1])


def test_targets_may_be_sharpened_until_only_the_leading_vote_is_left():
    targets = np.float32([[0.6, 0.4] + [0] * 18, [0.05] * 20])
    changed = sharpened(targets, 300.0)
    np.testing.assert_allclose(changed[0, :2], [1, 0], atol=1e-6)
    np.testing.assert_allclose(changed[1], 0.05, rtol=1e-5)


def test_teachers_answer_for_the_labels_that_are_learnt_at_their_own_size(linear_model):
    faces = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), np.uint8)
    targets = one_hot([2, 2, 1])
    teachers = Teachers([str(linear_model)] * 2, LABELS, weight=0.3, temperature=2.0)
    columns = [ALL_EMOTIONS.index(label) for label in LABELS]
    answer = softmax(load_model(linear_model).logits(faces)[:, columns], 2.0)
    taught = teachers.teach(faces, targets)
    assert taught.dtype == np.float32
    np.testing.assert_allclose(taught, 0.7 * targets + 0.3 * answer, atol=1e-6)
    assert np.abs(taught - targets).max() > 0.05


def test_several_teachers_count_alike(linear_model, linear_weights, tmp_path):
    other = brighter(linear_weights, tmp_path)
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), np.uint8)
    one, two, both = (
        Teachers(models, LABELS, weight=1.0).teach(faces, one_hot([2, 2, 1]))
        for models in ([str(linear_model)], [str(other)], [str(linear_model), str(other)])
    )
    assert np.abs(one - two).max() > 0.01
    np.testing.assert_allclose(both, (one + two) / 2, atol=1e-6)


def brighter(weights, tmp_path):
    """The same network behind another standardisation, which only its own card tells."""
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


def test_a_teacher_that_does_not_fit_is_refused(linear_model):
    with pytest.raises(RecipeError, match=r"must know every label.*boredom"):
        Teachers([str(linear_model)], ("anger", "boredom"))
    with pytest.raises(RecipeError, match=r"must read clips of 4 frames.*which reads stills"):
        Teachers([str(linear_model)], LABELS, frames=4)
    with pytest.raises(ModelNotFoundError, match="nowhere"):
        Teachers(["nowhere"], LABELS)


def test_the_shares_that_are_met_follow_sampling_and_teachers(splits, linear_model):
    train = splits.train
    np.testing.assert_array_equal(
        seen_shares(train, FitSettings(), None), train.targets.mean(axis=0)
    )
    rare = train.take(np.flatnonzero((train.truth > 0) | (np.arange(len(train)) < 20)))
    assert seen_shares(rare, FitSettings(), None).min() < 0.1
    even = FitSettings(class_balanced_sampling=1.0)
    np.testing.assert_allclose(seen_shares(rare, even, None), 1 / 3, rtol=1e-6)
    teachers = Teachers([str(linear_model)], LABELS, weight=0.4)
    taught = teachers.teach(rare.images, rare.targets)
    np.testing.assert_allclose(
        seen_shares(rare, even, teachers),
        face_weights(rare.targets, 1.0) @ taught,
        rtol=1e-5,
    )


def test_what_is_added_to_the_logits_is_taken_out_of_the_prior():
    shares = np.array([0.6, 0.3, 0.1, 0.0])
    np.testing.assert_allclose(logit_shift(shares, 0.5)[:3], 0.5 * np.log(shares[:3]), rtol=1e-6)
    assert logit_shift(shares, 0.5)[3] == 0
    for adjustment in (0.0, 0.5, 1.0, 1.5):
        kept = kept_shares(shares, adjustment)
        assert kept.sum() == pytest.approx(1)
        assert kept[3] == 0
        joint = kept[:3] * np.exp(logit_shift(shares, adjustment)[:3])
        np.testing.assert_allclose(joint / joint.sum(), shares[:3], rtol=1e-5)
