import json
from pathlib import Path

import keras
import numpy as np
import pytest

from emopy import FERModel
from emopy.errors import DataError
from emopy.legacy.networks import ConvolutionalNN, TimeDelayConvNN, TransferLearningNN
from emopy.legacy.training import DataGenerator, PlotLosses
from emopy.media import read_image
from emopy.models import softmax, to_tensor
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


def test_batches_hold_the_dataset_at_their_size():
    generator = DataGenerator(time_delay=3).fit(CLIPS.images, CLIPS.targets)
    batches = generator.generate(target_dimensions=(16, 20), batch_size=4)
    assert batches.dataset.images.shape == (len(CLIPS), 3, 16, 20, 1)
    assert np.array_equal(generator.generate().dataset.images, CLIPS.images)


def test_next_repeats_without_end_and_augments_anew():
    batches = DataGenerator().fit(STILLS.images, STILLS.targets).generate(batch_size=len(STILLS))
    first, _ = next(batches)
    again, _ = next(iter(batches))
    assert first.shape == again.shape
    assert not np.array_equal(first, again)


def test_get_next_batch_returns_one_batch():
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
def test_invalid_samples_get_the_old_messages(time_delay, images, labels, text):
    with pytest.raises(ValueError, match=text):
        DataGenerator(time_delay).fit(images, labels)


def test_a_generator_without_faces_gets_the_old_message():
    with pytest.raises(ValueError, match="Model is not fit to any data set yet"):
        DataGenerator().generate()


def colours(image: np.ndarray) -> int:
    """How many of the first three line colours of Matplotlib are to be seen."""
    lines = ([31, 119, 180], [255, 127, 14], [44, 160, 44])
    return sum(bool((image == line).all(axis=2).any()) for line in lines)


def test_the_loss_is_plotted_during_the_training_of_a_custom_network(in_tmp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    samples = np.ones((4, 3)), np.ones((4, 1))
    model.fit(*samples, validation_split=0.5, epochs=2, verbose=0, callbacks=[PlotLosses()])
    both = read_image(in_tmp / "output" / "loss_plot.png")
    model.fit(*samples, epochs=2, verbose=0, callbacks=[PlotLosses("images", "mine.png")])
    one = read_image(in_tmp / "images" / "mine.png")
    assert both.shape == one.shape
    assert (colours(both), colours(one)) == (2, 1)  # training, and validation where there is one


@pytest.mark.parametrize("path", ["deep/in/loss.png", "loss.png"])
def test_a_full_path_overrides_folder_and_name(path, tmp_path):
    PlotLosses(figure_path=str(tmp_path / path)).draw([{"loss": 2.0}, {"loss": 1.0}])
    assert (tmp_path / path).read_bytes().startswith(b"\x89PNG")


MAP = {"anger": 0, "happiness": 1, "calm": 2}
DATA = sample_stills().only(["anger", "happiness", "calm"]).take(range(0, 192, 4))
FACES = np.ascontiguousarray(DATA.images[:, ::3, ::3])


def generator(images, **settings):
    made = DataGenerator(**settings).config_augmentation(True, 0, 0, 0, False)
    return made.fit(images, DATA.targets)


@pytest.fixture(scope="module")
def trained_run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whitened"))
        batches = generator(FACES)
        net = ConvolutionalNN((16, 16), 1, MAP, filters=4)
        net.fit_generator(batches.generate(batch_size=16), (FACES, DATA.targets), epochs=2)
        yield net, batches


def test_the_network_trains_and_predicts_on_whitened_faces(trained_run):
    net, batches = trained_run
    inner = net.model.predict(batches.prepare(FACES), verbose=0)
    assert net.predict(FACES) == pytest.approx(softmax(inner), abs=1e-4)
    bare = net.model.predict(to_tensor(FACES, net._run.spec), verbose=0)
    assert np.abs(net.predict(FACES) - softmax(bare)).max() > 1e-3
    surprise = -np.log(net.predict(FACES)[DATA.targets > 0]).mean()
    assert net._run.history[-1]["val_loss"] == pytest.approx(surprise, rel=1e-3)


def test_the_whitening_is_constant_and_exported(trained_run, tmp_path):
    net, _ = trained_run
    layer = net._run.model.get_layer("whitening")
    assert not layer.trainable_variables
    folder = net.export_model(tmp_path / "net.json", tmp_path / "net.h5", tmp_path / "m.json", MAP)
    found = FERModel("all", model=folder).predict_faces(FACES)
    answers = np.array([face.probabilities for face in found])
    assert answers == pytest.approx(net.predict(FACES), abs=1e-3)
    loaded = keras.models.model_from_json((tmp_path / "net.json").read_text(encoding="utf-8"))
    loaded.load_weights(Path(tmp_path / "net.h5").rename(tmp_path / "net.weights.h5"))
    tensor = to_tensor(FACES, net._run.spec)
    assert softmax(loaded.predict(tensor, verbose=0)) == pytest.approx(answers, abs=1e-3)
    assert json.loads((tmp_path / "m.json").read_text()) == MAP


def test_frames_of_a_clip_are_whitened_separately(in_tmp):
    clips = np.stack([FACES, FACES[::-1]], axis=1)
    batches = generator(clips, time_delay=2)
    net = TimeDelayConvNN((16, 16), 1, MAP, 2, filters=2)
    net.fit_generator(batches.generate(), epochs=1)
    inner = net.model.predict(batches.prepare(clips), verbose=0)
    assert net.predict(clips) == pytest.approx(softmax(inner), abs=1e-4)


def test_whitening_is_refused_for_a_pretrained_backbone(in_tmp):
    with pytest.raises(DataError, match="`zca_whitening` must be off for TransferLearningNN"):
        TransferLearningNN("emopy-base", MAP).fit_generator(generator(FACES).generate(), epochs=1)
