import hashlib
import json
import shutil
from functools import partial

import keras
import numpy as np
import pytest

from emopy.data import Dataset, Splits
from emopy.errors import ModelError, RecipeError
from emopy.models import OnnxSession, check_model_folder, load_model, to_tensor
from emopy.nets import ResidualNN, TransferLearningNN, list_backbones
from emopy.nets.registry import UNTRAINED_BACKBONE, backbone_of, wants_pixels
from emopy.nets.transfer import _with_constant_normalization, backbone_model, get_backbone
from emopy.train import FitSettings, export, fit
from emopy.train.export import to_onnx
from emopy.train.fit import parent_models
from emopy.train.stages import plan_stages


def features_of(run, crops):
    """The input of the last layer of the original network."""
    inner = keras.Model(run.model.inputs[0], run.model.layers[-1].input)
    return np.asarray(inner(to_tensor(crops, run.spec), training=False))


def test_the_backbone_gets_its_own_preprocessing_for_gray_and_color_crops(own_folder, own_run):
    crops = np.random.default_rng(1).integers(0, 256, (5, 16, 16, 1), np.uint8)
    gray = TransferLearningNN((16, 16, 1), 2, backbone=own_folder)
    color = TransferLearningNN((16, 16, 3), 2, backbone=str(own_folder))
    expected = features_of(own_run, crops)
    for model, given in ((gray, crops), (color, np.repeat(crops, 3, axis=-1))):
        assert wants_pixels(model)
        after = model.layers[model.layers.index(backbone_of(model)) + 1]
        inner = keras.Model(model.inputs[0], after.input)
        seen = np.asarray(inner(given.astype("float32") / 255, training=False))
        np.testing.assert_allclose(seen, expected, atol=2e-3)


def test_the_backbone_is_a_parent_of_the_run(own_folder):
    card = load_model(own_folder).card
    backbone = backbone_model(TransferLearningNN, {"backbone": own_folder})
    expected = f"{card.name} {card.version}, {card.files['model.onnx']}"
    assert parent_models(FitSettings(), backbone) == (expected,)


def test_a_backbone_with_random_weights_or_of_keras_is_no_parent():
    assert backbone_model(TransferLearningNN, {}) == "emopy-base"
    assert backbone_model(partial(TransferLearningNN, backbone="mine"), {}) == "mine"
    for settings in ({"weights": "random"}, {"backbone": "mobilenet_v2"}):
        assert backbone_model(TransferLearningNN, settings) is None
    assert backbone_model(ResidualNN, {}) is None


def test_crops_of_another_size_are_resized_inside(own_folder):
    model = TransferLearningNN((40, 30, 1), 4, backbone=own_folder)
    assert (model.input_shape, model.output_shape) == ((None, 40, 30, 1), (None, 4))


def test_only_the_head_is_trainable_at_first(own_folder):
    model = TransferLearningNN((16, 16, 1), 2, backbone=own_folder, dense=0)
    assert [tuple(v.shape) for v in model.trainable_variables] == [(16, 2), (2,)]


@pytest.mark.parametrize("weights", ["random", None])
def test_a_backbone_with_random_weights_trains_from_the_start(own_folder, tmp_path, weights):
    frozen = keras.saving.load_model(own_folder / "network.keras")
    frozen.trainable = False
    shutil.copytree(own_folder, tmp_path / "frozen")
    frozen.save(tmp_path / "frozen" / "network.keras")
    _record_checksum(tmp_path / "frozen")
    for backbone in (own_folder, tmp_path / "frozen"):
        model = TransferLearningNN((16, 16, 1), 2, backbone=backbone, weights=weights)
        assert backbone_of(model) is None
        normalized = [
            layer for layer in model.get_layer(UNTRAINED_BACKBONE).layers if "norm" in layer.name
        ]
        assert normalized
        assert all(layer.trainable for layer in normalized)
        settings = FitSettings(epochs=4, head_epochs_fraction=0.5)
        assert [stage.end for stage in plan_stages(model, settings)] == [4]


def _record_checksum(folder):
    card = json.loads((folder / "card.json").read_text())
    content = (folder / "network.keras").read_bytes()
    card["files"]["network.keras"] = hashlib.sha256(content).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


def test_a_normalization_is_replaced_by_constants_that_the_onnx_file_keeps(tmp_path):
    crops = keras.Input((4, 4, 3))
    measured = keras.layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.04, 0.09, 0.0])
    kept = keras.layers.Conv2D(2, 3)
    features = keras.layers.GlobalAveragePooling2D()(kept(measured(crops)))
    network = keras.Model(crops, features)
    fixed = _with_constant_normalization(network)
    assert not any(isinstance(layer, keras.layers.Normalization) for layer in fixed.layers)
    assert kept in fixed.layers
    tensor = np.random.default_rng(0).random((2, 4, 4, 3), np.float32)
    expected = np.asarray(network(tensor))
    np.testing.assert_allclose(np.asarray(fixed(tensor)), expected, rtol=1e-4)
    (tmp_path / "model.onnx").write_bytes(to_onnx(fixed))
    np.testing.assert_allclose(
        OnnxSession(tmp_path / "model.onnx").run(tensor), expected, rtol=1e-4
    )


def test_a_keras_application_is_trained_and_exported(own_run, tmp_path):
    n = 6
    faces = Dataset(
        np.random.default_rng(0).integers(0, 256, (n, 24, 24, 1), np.uint8),
        np.eye(3, dtype=np.float32)[np.arange(n) % 3],
        own_run.labels,
        np.full(n, ""),
        np.array([f"made-up:{i}" for i in range(n)]),
    )
    net_settings = {
        "backbone": "mobilenet",
        "weights": "random",
        "size_px": 32,
        "dense": 8,
    }
    settings = FitSettings(epochs=1, batch_size=n)
    run = fit("TransferLearningNN", Splits.of(faces), settings=settings, net_settings=net_settings)
    assert len(run.model.trainable_variables) > 80
    assert check_model_folder(export(run, tmp_path / "model", trainable="never")) < 1e-3


def test_weights_can_be_taken_from_a_file_or_be_random(own_folder, tmp_path):
    def kernel(weights):
        network = get_backbone(own_folder, weights=weights).network
        return np.asarray(network.trainable_variables[0])

    other = keras.saving.load_model(own_folder / "network.keras")
    other.set_weights([weight + 1 for weight in other.get_weights()])
    file = tmp_path / "other.weights.h5"
    other.save_weights(file)
    np.testing.assert_allclose(kernel(file), kernel("default") + 1, atol=1e-6)
    assert np.abs(kernel("random") - kernel("default")).max() > 0.01
    assert np.abs(kernel(None) - kernel("default")).max() > 0.01


def test_weights_of_a_keras_application_can_be_taken_from_a_file(tmp_path):
    network = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    normalization = next(x for x in network.layers if isinstance(x, keras.layers.Normalization))
    normalization.adapt_mean.assign([0.485, 0.456, 0.406])
    normalization.adapt_variance.assign([0.229, 0.224, 0.225])
    network.save_weights(tmp_path / "own.weights.h5")
    given = get_backbone("efficientnet_b0", weights=tmp_path / "own.weights.h5", size_px=32)
    stem = given.network.get_layer("stem_conv").get_weights()[0]
    np.testing.assert_array_equal(stem, network.get_layer("stem_conv").get_weights()[0])
    # Keras adds this to the weights that it downloads: (x - mean) / deviation / deviation ** 0.5
    ranges = [x for x in given.network.layers if isinstance(x, keras.layers.Rescaling)]
    white = np.full((1, 32, 32, 3), 255, "float32")
    expected = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(
        np.asarray(ranges[1](ranges[0](white)))[0, 0, 0], expected, rtol=1e-4
    )


@pytest.mark.parametrize(
    "name, size_px",
    [("mobilenet_v2", 96), ("vgg16", 32), ("efficientnet_b0", 32), ("inception_v3", 75)],
)
def test_keras_applications_are_backbones_by_name(name, size_px):
    model = TransferLearningNN(
        (48, 48, 1), 3, backbone=name, weights="random", size_px=size_px, dense=8
    )
    assert model.get_layer(UNTRAINED_BACKBONE).input_shape == (None, size_px, size_px, 3)
    crops = np.zeros((1, 48, 48, 1), "float32")
    assert np.isfinite(np.asarray(model(crops))).all()


def adapted(name, channels):
    """What a backbone of Keras is given for one white, or pure red, pixel."""
    model = TransferLearningNN((32, 32, channels), 2, backbone=name, weights="random", size_px=32)
    place = model.layers.index(model.get_layer(UNTRAINED_BACKBONE))
    inner = keras.Model(model.inputs[0], model.layers[place - 1].output)
    crop = np.zeros((1, 32, 32, channels), "float32")
    crop[..., 0] = 1
    return np.asarray(inner(crop))[0, 0, 0]


def test_each_family_gets_its_input_range_and_channel_order():
    np.testing.assert_allclose(adapted("mobilenet", 1), [1, 1, 1])
    np.testing.assert_allclose(adapted("mobilenet", 3), [1, -1, -1])
    np.testing.assert_allclose(adapted("mobilenet_v3_small", 3), [255, 0, 0])
    expected = keras.applications.vgg16.preprocess_input(np.array([[[[255.0, 0, 0]]]]))[0, 0, 0]
    np.testing.assert_allclose(adapted("vgg16", 3), expected, rtol=1e-5)


def test_all_documented_families_are_listed():
    wanted = "xception vgg16 vgg19 resnet50 inception_v3 inception_resnet_v2 efficientnet_b7"
    assert {*wanted.split(), "efficientnet_v2_b0", "mobilenet_v3_large"} <= set(list_backbones())


def test_models_without_a_trainable_network_are_not_backbones():
    assert "emopy-base" in list_backbones()
    assert "emopy-tiny" not in list_backbones()


def test_weights_that_cannot_be_downloaded_say_what_to_type(monkeypatch, tmp_path):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody answers on the discard port
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # urllib remembers the proxies: neither those of before nor, in later tests, these.
    monkeypatch.setattr("urllib.request._opener", None)
    # Keras' cache, so that weights fetched before are not found.
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    with pytest.raises(ModelError, match='type weights="random"'):
        get_backbone("mobilenet", size_px=128)


def test_an_invalid_backbone_is_refused_with_what_to_type(own_folder, own_run, tmp_path):
    bare = export(own_run, tmp_path / "bare", trainable="never")
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(b"no weights")
    for settings, error, reason in (
        ({"backbone": "mobilenet_v4"}, RecipeError, "Did you mean 'mobilenet_v2'"),
        ({"backbone": bare}, RecipeError, "with its trainable network"),
        ({"backbone": own_folder, "weights": "none.h5"}, RecipeError, "no such file"),
        ({"backbone": own_folder, "weights": damaged}, ModelError, "must hold weights of"),
        ({"backbone": "vgg16", "weights": damaged, "size_px": 32}, ModelError, "weights of vgg16"),
        ({"backbone": "xception", "size_px": 48}, RecipeError, "71 or more"),
    ):
        with pytest.raises(error, match=reason):
            TransferLearningNN((16, 16, 1), 2, **settings)
    with pytest.raises(RecipeError, match="ConvolutionalLstmNN"):
        TransferLearningNN((3, 16, 16, 1), 2, backbone=own_folder)


def test_a_changed_network_file_is_refused(own_run, tmp_path):
    folder = export(own_run, tmp_path / "own")
    with (folder / "network.keras").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="SHA-256"):
        get_backbone(folder)
