import keras
import numpy as np
import pytest

from emopy.data.augment import Augmentation
from emopy.errors import DataError, RecipeError
from emopy.models import to_tensor
from emopy.train.batches import input_spec_of
from emopy.train.data_generator import DataGenerator


@pytest.fixture
def train(splits):
    return splits.train


@pytest.fixture
def clips():
    return np.random.default_rng(0).integers(0, 256, (12, 4, 16, 16, 1), dtype=np.uint8)


def one_hot(n: int, k: int = 2):
    return np.eye(k)[np.arange(n) % k]


def test_next_batches_have_shape_type_and_labels(train):
    generator = DataGenerator()
    generator.fit(train.images, train.targets)
    images, labels = generator.get_next_batch()
    assert (images.shape, images.dtype) == ((10, 16, 16, 1), np.float32)
    assert labels.shape == (10, 3)
    resized, _ = generator.get_next_batch(batch_size=7, target_dimensions=(24, 20))
    assert resized.shape == (7, 24, 20, 1)


def test_next_batches_start_a_new_epoch_with_other_augmentation(train):
    generator = DataGenerator()
    generator.fit(train.images, train.targets)
    first_pass = [generator.get_next_batch(batch_size=100) for _ in range(2)]
    assert [len(images) for images, _ in first_pass] == [100, 92]
    labels = np.concatenate([labels for _, labels in first_pass])
    np.testing.assert_array_equal(labels.sum(axis=0), train.targets.sum(axis=0))
    again, _ = generator.get_next_batch(batch_size=100)
    assert not np.array_equal(again, first_pass[0][0])


def test_the_same_seed_gives_the_same_batches(train):
    batches = []
    for seed in (1, 1, 2):
        generator = DataGenerator(seed=seed)
        generator.fit(train.images, train.targets)
        batches.append(generator.get_next_batch()[0])
    np.testing.assert_array_equal(batches[0], batches[1])
    assert not np.array_equal(batches[0], batches[2])


def test_images_are_standardized_as_for_prediction(train):
    generator = DataGenerator()
    generator.fit(train.images, train.targets)
    assert generator.spec == input_spec_of(train)
    generator.use_augmentation(Augmentation())
    whole, labels = generator.get_next_batch(batch_size=len(train))
    expected = to_tensor(train.images, generator.spec)
    order = [int(np.flatnonzero((expected == image).all((1, 2, 3)))[0]) for image in whole]
    assert sorted(order) == list(range(len(train)))
    np.testing.assert_array_equal(labels, train.targets[order])


def test_validation_images_are_standardized_like_the_training_images_without_augmentation(splits):
    generator = DataGenerator()
    generator.fit(splits.train.images, splits.train.targets)
    prepared = generator.prepare(splits.validation.images)
    expected = to_tensor(splits.validation.images, input_spec_of(splits.train))
    np.testing.assert_array_equal(prepared, expected)


def test_every_augmentation_option_has_an_effect(train):
    generator = DataGenerator()
    still = {"rotation_angle": 0, "shift_range": 0, "zoom_range": 0, "horizontal_flip": False}
    batches = []
    for change in ({}, {"rotation_angle": 20}, {"shift_range": 0.3}, {"zoom_range": 0.3},
                   {"horizontal_flip": True}):  # fmt: skip
        generator.config_augmentation(**still | change)
        generator.fit(train.images, train.targets)
        batches.append(generator.get_next_batch(batch_size=64)[0])
    for changed in batches[1:]:
        assert not np.array_equal(batches[0], changed)


def test_all_frames_of_a_clip_get_the_same_augmentation(clips):
    still_clips = np.repeat(clips[:, :1], 4, axis=1)
    generator = DataGenerator(num_frames=4)
    generator.fit(still_clips, one_hot(12))
    images, _ = generator.get_next_batch(batch_size=5, target_dimensions=(12, 12))
    assert images.shape == (5, 4, 12, 12, 1)
    np.testing.assert_array_equal(images[:, 0], images[:, 3])
    assert generator.spec.frames == 4


def test_a_new_configuration_keeps_num_frames(clips):
    generator = DataGenerator(num_frames=4)
    generator.config_augmentation(rotation_angle=5)
    generator.fit(clips, one_hot(12))
    generator.config_augmentation(num_frames=3)
    with pytest.raises(DataError, match="length 4 but num_frames parameter was set to 3"):
        generator.fit(clips, one_hot(12))


def test_whitened_batches_are_uncorrelated_and_have_no_spec(train):
    small = train.images[:, :8, :8]
    generator = DataGenerator()
    generator.fit(small, train.targets)
    before = generator.prepare(small).reshape(192, -1)
    generator.config_augmentation(zca_whitening=True)
    after = generator.prepare(small).reshape(192, -1)
    off = ~np.eye(64, dtype=bool)
    assert np.abs(np.cov(before.T)[off]).max() > 0.3
    assert np.abs(np.cov(after.T)[off]).max() < 0.01
    images, _ = generator.get_next_batch(batch_size=20)
    assert images.shape == (20, 8, 8, 1)
    assert generator.get_next_batch(target_dimensions=(10, 10))[0].shape == (10, 10, 10, 1)
    with pytest.raises(DataError, match="a model card cannot contain it"):
        _ = generator.spec


def test_a_network_learns_from_generated_batches(splits):
    generator = DataGenerator()
    generator.config_augmentation(rotation_angle=5, shift_range=0.05)
    generator.fit(splits.train.images, splits.train.targets)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(3),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.02), keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )  # fmt: skip
    validation = (generator.prepare(splits.validation.images), splits.validation.targets)
    history = model.fit(
        generator.generate(batch_size=32), epochs=12, validation_data=validation, verbose=0
    )
    assert history.history["val_accuracy"][-1] > 0.8


def test_whole_numbers_of_other_types_are_accepted(train):
    generator = DataGenerator()
    generator.fit(train.images.astype(np.float64), train.targets.tolist())
    assert generator.spec == input_spec_of(train)


@pytest.mark.parametrize(
    ("images", "labels", "num_frames", "message"),
    [
        (np.zeros((4, 16, 16, 1)), one_hot(3), None, "^Samples are not labeled properly"),
        (np.zeros((4, 16, 16, 1)), np.arange(4), None, "^Samples are not labeled properly"),
        (np.zeros((0, 16, 16, 1)), one_hot(0), None, "^Samples are not labeled properly"),
        (np.zeros((4, 16, 16)), one_hot(4), None, "^Channel Axis should have value"),
        (np.zeros((4, 16, 16, 2)), one_hot(4), None, "^Channel Axis should have value"),
        (
            np.zeros((4, 16, 16, 1)), one_hot(4), 4,
            "^Num_frames parameter was set but Images say otherwise",
        ),
        (
            np.zeros((4, 5, 16, 16, 1)), one_hot(4), 4,
            "^Images have time axis length 5 but num_frames parameter was set to 4",
        ),
        (np.zeros((4, 5, 16, 16, 1)), one_hot(4), None, r"DataGenerator\(num_frames=5\)"),
        (np.full((4, 16, 16, 1), 0.5), one_hot(4), None, "whole numbers 0–255"),
        (np.full((4, 16, 16, 1), np.nan), one_hot(4), None, "whole numbers 0–255"),
        (np.full((4, 16, 16, 1), -1), one_hot(4), None, "whole numbers 0–255"),
        (np.zeros((4, 16, 16, 1)), 2 * one_hot(4), None, "sum to 1"),
    ],
)  # fmt: skip
def test_images_and_labels_of_other_shapes_are_refused(images, labels, num_frames, message):
    with pytest.raises(DataError, match=message):
        DataGenerator(num_frames).fit(images, labels)


@pytest.mark.parametrize(
    "use",
    [
        lambda generator: generator.generate(),
        lambda generator: generator.get_next_batch(),
        lambda generator: generator.prepare(np.zeros((1, 16, 16, 1), np.uint8)),
        lambda generator: generator.spec,
    ],
    ids=["generate", "get_next_batch", "prepare", "spec"],
)
def test_fit_must_be_called_first(use):
    with pytest.raises(DataError, match=r"^Model is not fit to any data set yet"):
        use(DataGenerator())


def test_values_out_of_range_are_refused(train):
    with pytest.raises(DataError, match="`num_frames` must be a whole number"):
        DataGenerator(num_frames=1)
    with pytest.raises(RecipeError, match="rotation_deg"):
        DataGenerator().config_augmentation(rotation_angle=-1)
    generator = DataGenerator()
    generator.fit(train.images, train.targets)
    with pytest.raises(DataError, match="batch_size"):
        generator.generate(batch_size=0)
    with pytest.raises(DataError, match="target_dimensions"):
        generator.generate(target_dimensions=(4, 4))
