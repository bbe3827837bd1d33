import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from emopy.errors import DataError, InputError, LabelError, ModelError, RecipeError
from emopy.legacy.networks import ConvolutionalNN, TransferLearningNN
from emopy.legacy.training import DataGenerator
from emopy.samples import sample_stills

MAP = {"anger": 0, "happiness": 1, "calm": 2}
DATA = sample_stills().only(["anger", "happiness", "calm"]).take(range(0, 192, 4))


@pytest.fixture(scope="module")
def small():
    return ConvolutionalNN((48, 48), 1, MAP, filters=2, kernel_size=(3, 3))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    here = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        net = ConvolutionalNN((48, 48), 1, MAP, filters=4)
        net.fit(DATA.images, DATA.targets, 0.25, epochs=2)
    return net


def test_the_settings_reach_the_network():
    net = ConvolutionalNN((40, 36), 3, MAP, filters=6, kernel_size=(5, 3), activation="tanh")
    first = net.model.layers[1]
    assert net.model.input_shape == (None, 40, 36, 3)
    assert (first.filters, first.kernel_size) == (6, (5, 3))
    assert first.activation.__name__ == "tanh"


def test_verbose_prints_the_layers(capsys):
    ConvolutionalNN((48, 48), 1, MAP, filters=2, verbose=True)
    assert "Total params" in capsys.readouterr().out
    ConvolutionalNN((48, 48), 1, MAP, filters=2)
    assert capsys.readouterr().out == ""


def test_an_untrained_network_cannot_predict_or_export(small):
    with pytest.raises(ModelError, match="must be trained first"):
        small.predict(DATA.images)
    with pytest.raises(ModelError, match="must be trained first"):
        small.export_model("a.json", "a.h5", "map.json", MAP)


def test_predictions_are_probabilities_in_the_columns_of_the_map(trained):
    shares = trained.predict(DATA.images)
    assert shares.shape == (len(DATA), 3)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(DATA)), abs=1e-5)
    assert np.array_equal(shares, trained.predict(DATA.images.astype(np.float64)))


def test_scaled_pixels_are_refused(trained):
    with pytest.raises(DataError, match="must be whole numbers 0–255"):
        trained.predict(DATA.images / 255)
    with pytest.raises(DataError, match="must be whole numbers 0–255"):
        trained.predict(DATA.images.astype(np.float32) - 300)


def test_a_second_fit_continues_the_training(in_tmp):
    net = ConvolutionalNN((48, 48), 1, MAP, filters=4)
    first = net.model.get_weights()
    net.fit(DATA.images, DATA.targets, 0.25, epochs=1)
    between = net.predict(DATA.images)
    model = net.model
    assert not np.array_equal(first[0], model.get_weights()[0])
    net.fit(DATA.images, DATA.targets, 0, epochs=1)
    assert net.model is model
    assert not np.array_equal(between, net.predict(DATA.images))


def test_validation_faces_are_preprocessed_like_training_faces(in_tmp):
    """Brighter ones stay brighter, and none is changed at random."""
    bright = DATA.images // 4 + 190
    learnt, watched = (
        DataGenerator().fit(images, DATA.targets).generate(batch_size=16)
        for images in (DATA.images, bright)
    )
    net = ConvolutionalNN((48, 48), 1, MAP, filters=4)
    net.fit_generator(learnt, watched, epochs=1)
    surprise = -np.log(net.predict(bright)[DATA.targets > 0]).mean()
    assert net._run.history[-1]["val_loss"] == pytest.approx(surprise, rel=1e-3)
    net.fit_generator(learnt, (bright, DATA.targets), epochs=1)
    surprise = -np.log(net.predict(bright)[DATA.targets > 0]).mean()
    assert net._run.history[-1]["val_loss"] == pytest.approx(surprise, rel=1e-3)
    assert (in_tmp / "output" / "loss_plot.png").is_file()


def test_faces_of_another_shape_name_the_line_that_resizes(small):
    batches = DataGenerator().fit(DATA.images, DATA.targets).generate((32, 32))
    with pytest.raises(DataError, match=r"generate\(target_dimensions=\(48, 48\)\)"):
        small.fit_generator(batches, epochs=1)


def test_another_number_of_emotions_is_refused(small):
    labels = np.eye(4)[np.zeros(len(DATA), int)]
    with pytest.raises(DataError, match="one column per label"):
        small.fit(DATA.images, labels, 0.2, epochs=1)


def test_an_emotion_without_faces_is_named():
    net = ConvolutionalNN((48, 48), 1, {**MAP, "fear": 3}, filters=2)
    targets = np.pad(DATA.targets, ((0, 0), (0, 1)))
    with pytest.raises(DataError, match=r"Received none of fear\. Leave it out of `emotion_map`"):
        net.fit(DATA.images, targets, 0.25)


def test_another_generator_is_refused(small):
    with pytest.raises(DataError, match=r"DataGenerator\.generate gives. Received generator"):
        small.fit_generator((pair for pair in [(DATA.images, DATA.targets)]), epochs=1)


def test_the_layer_graph_is_drawn_or_what_is_missing_is_named(small, in_tmp):
    if shutil.which("dot"):
        small.save_model_graph()
        assert (in_tmp / "output" / "model.png").read_bytes().startswith(b"\x89PNG")
    else:
        with pytest.raises(InputError, match="apt install graphviz"):
            small.save_model_graph()


def test_an_export_needs_the_map_of_the_network(trained, tmp_path):
    with pytest.raises(LabelError, match="the one that the network was created with"):
        trained.export_model(
            tmp_path / "a", tmp_path / "b", tmp_path / "c", {"anger": 0, "fear": 1}
        )


def test_a_model_file_without_suffix_leaves_the_folder_its_own_name(trained, tmp_path):
    folder = trained.export_model(tmp_path / "net", tmp_path / "net.h5", tmp_path / "map.json", MAP)
    assert (tmp_path / "net").is_file()
    assert folder == tmp_path / "net-folder"


def test_transfer_learning_names_its_networks():
    with pytest.raises(RecipeError, match="inception_v3"):
        TransferLearningNN("inception_v4", MAP)
    with pytest.raises(ModelError, match="before it knows the size"):
        TransferLearningNN("vgg16", MAP).save_model_graph()


def test_transfer_learning_from_arrays(in_tmp):
    net = TransferLearningNN("emopy-base", MAP)
    net.fit(DATA.images, DATA.targets, 0.25, epochs=2)
    hits = net.predict(DATA.images).argmax(axis=1) == DATA.truth
    assert hits.mean() > 0.7


OFFLINE = """
import numpy as np
from emopy.legacy.networks import TransferLearningNN
net = TransferLearningNN("vgg16", {"anger": 0, "fear": 1})
net.fit(np.zeros((4, 48, 48, 3), np.uint8), np.eye(2)[[0, 1, 0, 1]], 0, epochs=1)
"""


def test_a_failed_download_names_what_the_old_class_can_do(tmp_path):
    nowhere = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "", "KERAS_HOME": str(tmp_path)}
    child = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        capture_output=True,
        text=True,
        env={**os.environ, **nowhere, "HTTPS_PROXY": nowhere["https_proxy"], "NO_PROXY": ""},
    )
    advice = child.stderr.strip().splitlines()[-1]
    assert advice.startswith("emopy.errors.ModelError: `model_name` must name a network whose ")
    assert "URL fetch failure on https://" in advice
    assert "~/.keras/models" in advice
    assert 'TransferLearningNN("emopy-base", emotion_map)' in advice
    assert "backbone=" not in advice
    assert "weights=" not in advice
