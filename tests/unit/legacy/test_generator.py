import numpy as np
import pytest

from emopy.legacy.adapters.generator import DataGenerator
from emopy.samples import sample_clips, sample_stills

STILLS = sample_stills().take(range(0, 448, 16))
CLIPS = sample_clips(frames=3).take(range(0, 224, 16))


def test_calls_can_be_chained_and_positions_are_the_old_ones():
    generator = DataGenerator().config_augmentation(False, 0, 0, 0, False)
    batches = generator.fit(STILLS.images, STILLS.targets).generate((24, 20), 5)
    images, labels = batches[0]
    assert images.shape == (5, 24, 20, 1)
    assert labels.shape == (5, 7)
    assert len(batches) == 6


def test_batches_know_the_faces_at_the_size_of_the_batches():
    generator = DataGenerator(time_delay=3).fit(CLIPS.images, CLIPS.targets)
    batches = generator.generate(target_dimensions=(16, 20), batch_size=4)
    assert batches.dataset.images.shape == (len(CLIPS), 3, 16, 20, 1)
    assert np.array_equal(generator.generate().dataset.images, CLIPS.images)


def test_next_goes_on_for_ever_with_fresh_changes():
    batches = DataGenerator().fit(STILLS.images, STILLS.targets).generate(batch_size=len(STILLS))
    first, _ = next(batches)
    again, _ = next(iter(batches))
    assert first.shape == again.shape
    assert not np.array_equal(first, again)


def test_a_batch_on_its_own_is_given():
    generator = DataGenerator().fit(STILLS.images, STILLS.targets)
    images, labels = generator.get_next_batch(batch_size=10, target_dimensions=(30, 30))
    assert images.shape == (10, 30, 30, 1)
    assert labels.shape == (10, 7)


@pytest.mark.parametrize(
    ("time_delay", "images", "labels", "text"),
    [
        (None, STILLS.images, STILLS.targets[:3], "Samples are not labeled properly"),
        (None, STILLS.images[..., 0], STILLS.targets, "Channel Axis should have value"),
        (3, STILLS.images, STILLS.targets, "Time_delay parameter was set but Images say otherwise"),
        (
            2,
            CLIPS.images,
            CLIPS.targets,
            "Images have time axis length 3 but time_delay parameter was set to 2",
        ),
    ],
)
def test_samples_of_another_kind_get_the_old_words(time_delay, images, labels, text):
    with pytest.raises(ValueError, match=text):
        DataGenerator(time_delay).fit(images, labels)


def test_a_generator_without_faces_gets_the_old_words():
    with pytest.raises(ValueError, match="Model is not fit to any data set yet"):
        DataGenerator().generate()
