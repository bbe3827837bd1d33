import keras
import numpy as np
import pytest

from emopy.data import Splits
from emopy.data.augment import Augmentation
from emopy.models import InputSpec, to_tensor
from emopy.train import FitSettings
from emopy.train.batches import TrainingBatches
from emopy.train.targets import Teachers, cutmix, mixup, sampling_weights

STRONG = Augmentation(rotation_deg=20, flip=0.5, brightness=0.2)
SPEC = InputSpec(16, 16, mean=0.5, std=0.25)


def batches_of(splits, *, epoch=0, augmentation=STRONG, teachers=None, **settings):
    chosen = FitSettings(**{"batch_size": 50, "seed": 3} | settings)
    return TrainingBatches(splits.train, SPEC, augmentation, chosen, epoch=epoch, teachers=teachers)


def test_an_epoch_contains_every_sample_once(splits):
    batches = batches_of(splits, augmentation=Augmentation())
    assert len(batches) == 4
    images, targets = (np.concatenate(both) for both in zip(*batches, strict=True))
    assert images.shape == (192, 16, 16, 1)
    expected = to_tensor(splits.train.images, SPEC)
    order = [int(np.flatnonzero((expected == image).all((1, 2, 3)))[0]) for image in images]
    assert sorted(order) == list(range(192))
    assert order != sorted(order)
    np.testing.assert_array_equal(targets, splits.train.targets[order])


def test_order_and_augmentation_depend_on_seed_and_epoch_only(splits):
    first, again = batches_of(splits), batches_of(splits)
    np.testing.assert_array_equal(first[2][0], again[2][0])
    first.on_epoch_end()
    assert not np.array_equal(first[2][0], again[2][0])
    np.testing.assert_array_equal(first[2][0], batches_of(splits, epoch=1)[2][0])
    assert not np.array_equal(again[2][0], batches_of(splits, seed=4)[2][0])


def test_several_workers_give_keras_the_same_batches_as_one(splits):
    batches = batches_of(splits)
    assert batches.workers > 1
    model = keras.Sequential([keras.Input(SPEC.shape), keras.layers.Flatten()])
    model.compile()
    for epoch in range(2):
        seen = model.predict(batches, verbose=0)
        alone = np.concatenate([images for images, _ in batches_of(splits, epoch=epoch)])
        np.testing.assert_array_equal(seen, alone.reshape(len(seen), -1))


@pytest.fixture
def uneven(splits):
    """Ten samples of anger among all of the others."""
    train = splits.train
    rows = np.flatnonzero(train.truth > 0)
    return Splits.of(train.take([*np.flatnonzero(train.truth == 0)[:10], *rows]))


def test_balanced_sampling_draws_rare_labels_as_often_as_frequent_ones(uneven):
    weights = sampling_weights(uneven.train.targets, 1.0)
    batches = batches_of(uneven, class_balanced_sampling=1.0, augmentation=Augmentation())
    drawn = []
    for _ in range(40):
        drawn += [targets for _, targets in batches]
        batches.on_epoch_end()
    drawn = np.concatenate(drawn)
    assert len(drawn) == 40 * len(uneven.train)
    np.testing.assert_allclose(weights @ uneven.train.targets, 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 3, atol=0.03)
    plain = np.concatenate([targets for _, targets in batches_of(uneven)])
    assert plain.mean(axis=0)[0] < 0.1


def test_a_sample_that_is_drawn_again_gets_another_augmentation(uneven):
    batches = batches_of(uneven, class_balanced_sampling=1.0)
    images, targets = (np.concatenate(both) for both in zip(*batches, strict=True))
    rare = images[targets[:, 0] == 1]
    assert len(rare) > 20  # of ten faces
    assert len(np.unique(rare, axis=0)) == len(rare)


@pytest.mark.parametrize(
    "settings", [{"class_balanced_sampling": 0.7}, {"mixup": 0.4}, {"cutmix": 1.0}]
)
def test_sampling_and_mixing_depend_on_seed_and_epoch_only(uneven, settings):
    first, again = batches_of(uneven, **settings), batches_of(uneven, **settings)
    for index in (2, 0):
        for one, other in zip(first[index], again[index], strict=True):
            np.testing.assert_array_equal(one, other)
    first.on_epoch_end()
    np.testing.assert_array_equal(first[1][0], batches_of(uneven, epoch=1, **settings)[1][0])
    assert not np.array_equal(first[1][1], again[1][1])


def test_mixing_follows_the_augmentation(splits):
    plain, mixed = batches_of(splits), batches_of(splits, mixup=0.4)
    _, targets = mixed[1]
    assert (np.count_nonzero(targets, axis=1) == 2).any()
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    assert not np.array_equal(mixed[0][1], targets[: len(mixed[0][1])])
    pixels = np.rint((plain[1][0] * SPEC.std + SPEC.mean) * 255).astype(np.uint8)
    rng = np.random.default_rng((3, 0, 1, 0x6D6978))
    expected, both = mixup(pixels, plain[1][1], 0.4, rng)
    np.testing.assert_array_equal(targets, both)
    np.testing.assert_allclose(mixed[1][0], to_tensor(expected, SPEC), atol=1e-6)


def test_each_batch_gets_either_mixup_or_cutmix(splits, monkeypatch):
    used = []
    for name, mix in (("mixup", mixup), ("cutmix", cutmix)):

        def noted(*arguments, name=name, mix=mix):
            used.append((name, arguments[2]))
            return mix(*arguments)

        monkeypatch.setattr(f"emopy.train.batches.{mix.__name__}", noted)
    batches = batches_of(splits, mixup=0.4, cutmix=1.0, batch_size=8)
    for index in range(len(batches)):
        batches[index]
    assert len(used) == len(batches)
    assert set(used) == {("mixup", 0.4), ("cutmix", 1.0)}


def test_teachers_predict_the_augmented_images(splits, linear_model):
    teachers = Teachers([str(linear_model)], splits.train.labels, weight=0.5)
    plain, distilled = (
        batches_of(splits, mixup=0.4),
        batches_of(splits, mixup=0.4, teachers=teachers),
    )
    images, targets = distilled[0]
    np.testing.assert_array_equal(images, plain[0][0])
    pixels = np.rint((images * SPEC.std + SPEC.mean) * 255).astype(np.uint8)
    np.testing.assert_allclose(targets, teachers.distill(pixels, plain[0][1]), atol=1e-6)
