import keras
import numpy as np

from emopy.data.augment import Augmentation
from emopy.models import InputSpec, to_tensor
from emopy.train.generator import TrainingBatches

STRONG = Augmentation(rotation_deg=20, flip=0.5, brightness=0.2)
SPEC = InputSpec(16, 16, mean=0.5, std=0.25)


def batches_of(parts, **settings):
    wanted = {"batch_size": 50, "seed": 3} | settings
    return TrainingBatches(parts.train, SPEC, STRONG, **wanted)


def test_one_pass_holds_every_sample_once(parts):
    batches = TrainingBatches(parts.train, SPEC, Augmentation(), batch_size=50, seed=3)
    assert len(batches) == 4
    images, targets = (np.concatenate(both) for both in zip(*batches, strict=True))
    assert images.shape == (192, 16, 16, 1)
    expected = to_tensor(parts.train.images, SPEC)
    order = [int(np.flatnonzero((expected == image).all((1, 2, 3)))[0]) for image in images]
    assert sorted(order) == list(range(192))
    assert order != sorted(order)
    np.testing.assert_array_equal(targets, parts.train.targets[order])


def test_order_and_changes_follow_seed_and_epoch_only(parts):
    first, again = batches_of(parts), batches_of(parts)
    np.testing.assert_array_equal(first[2][0], again[2][0])
    first.on_epoch_end()
    assert not np.array_equal(first[2][0], again[2][0])
    np.testing.assert_array_equal(first[2][0], batches_of(parts, epoch=1)[2][0])
    assert not np.array_equal(again[2][0], batches_of(parts, seed=4)[2][0])


def test_several_workers_give_keras_the_same_batches_as_one(parts):
    batches = batches_of(parts)
    assert batches.workers > 1
    model = keras.Sequential([keras.Input(SPEC.shape), keras.layers.Flatten()])
    model.compile()
    for epoch in range(2):
        seen = model.predict(batches, verbose=0)
        alone = np.concatenate([images for images, _ in batches_of(parts, epoch=epoch)])
        np.testing.assert_array_equal(seen, alone.reshape(len(seen), -1))
