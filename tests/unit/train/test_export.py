import dataclasses
import sys

import keras
import numpy as np
import pytest
from keras import layers

from emopy import FERModel
from emopy.data import Splits
from emopy.errors import InputError, ModelError
from emopy.media import read_image
from emopy.models import (
    InputSpec,
    OnnxSession,
    check_model_folder,
    find_keras_model,
    load_model,
    to_tensor,
)
from emopy.nets import get_net
from emopy.samples import sample_images
from emopy.train import DataGenerator, export, fit, train_recipe
from emopy.train.export import to_onnx
from emopy.train.recipe import FitSettings

STILL = InputSpec(16, 16, scale=1.0)
SMALL = {"widths": [8, 16], "blocks": [1, 1]}


@pytest.fixture(scope="module")
def run(splits):
    return fit(
        "ResidualNN", splits, settings=FitSettings(epochs=4, batch_size=32), net_settings=SMALL
    )


def test_an_exported_network_gives_the_logits_of_keras(run, splits, tmp_path):
    folder = export(run, tmp_path / "model", name="stripes")
    tensor = to_tensor(splits.calibration.images, run.spec)
    np.testing.assert_allclose(
        load_model(folder).session.run(tensor),
        keras.ops.convert_to_numpy(run.model(tensor, training=False)),
        atol=1e-4,
    )
    check_model_folder(folder)


def test_the_card_describes_the_training(run, tmp_path):
    card = load_model(export(run, tmp_path / "model", name="stripes")).card
    assert (card.name, card.labels, card.input) == ("stripes", run.labels, run.spec)
    assert card.training["network"] == "ResidualNN"
    assert card.training["recipe_sha256"] == run.recipe.sha256
    assert sum(card.training["label_prior"].values()) == pytest.approx(1, abs=1e-4)


def test_the_golden_crops_are_the_packaged_composites_and_no_training_face(run, tmp_path):
    folder = export(run, tmp_path / "model")
    with np.load(folder / "golden.npz", allow_pickle=False) as golden:
        crops = golden["crops"]
    composites = [read_image(path) for path in sample_images().values()]
    np.testing.assert_array_equal(crops, np.rint(to_tensor(composites, STILL)).astype(np.uint8))


def test_an_exported_network_predicts_through_fermodel(run, splits, tmp_path):
    model = FERModel(model=export(run, tmp_path / "model"))
    predictions = model.predict_faces(splits.calibration.images[..., 0])
    shown = np.array([prediction.emotion for prediction in predictions])
    assert np.mean(shown == np.array(splits.calibration.labels)[splits.calibration.truth]) > 0.8


def test_a_file_that_disagrees_with_keras_is_not_exported(run, tmp_path, monkeypatch):
    other = keras.models.clone_model(run.model)
    monkeypatch.setattr(sys.modules["emopy.train.export"], "to_onnx", lambda _: to_onnx(other))
    with pytest.raises(ModelError, match="agree with Keras within"):
        export(run, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_network_of_another_class_layout_is_refused(run, tmp_path):
    wrong = dataclasses.replace(
        run, labels=("anger", "fear"), label_prior={"anger": 0.5, "fear": 0.5}
    )
    with pytest.raises(ModelError):
        export(wrong, tmp_path / "model")


def test_a_recipe_file_becomes_a_model_folder(splits, tmp_path):
    splits.train.save(tmp_path / "train.npz")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'name = "tiny"\n[data]\ntrain = "{(tmp_path / "train.npz").as_posix()}"\n'
        "[net.settings]\nwidths = [8]\nblocks = [1]\n[fit]\nepochs = 9\n"
    )
    run = train_recipe(recipe, settings=["fit.epochs=1"], out=tmp_path / "run")
    assert len(run.history) == 1
    assert load_model(tmp_path / "run" / "model").card.name == "tiny"


def test_the_keras_network_is_added_without_its_optimizer(run, splits, tmp_path):
    card, file = find_keras_model(export(run, tmp_path / "model"))
    loaded = keras.saving.load_model(file, safe_mode=True)
    assert not loaded.compiled
    tensor = to_tensor(splits.calibration.images, card.input)
    expected = np.asarray(run.model(tensor, training=False))
    np.testing.assert_allclose(np.asarray(loaded(tensor, training=False)), expected, atol=1e-5)


def test_the_keras_network_is_left_out_if_it_is_large_or_not_requested(run, tmp_path, monkeypatch):
    names = {item.name for item in export(run, tmp_path / "bare", trainable="never").iterdir()}
    assert "network.keras" not in names
    monkeypatch.setattr(sys.modules["emopy.train.export"], "MAX_NETWORK_BYTES", 1000)
    assert not (export(run, tmp_path / "large") / "network.keras").exists()
    assert (export(run, tmp_path / "large", trainable="always") / "network.keras").exists()
    with pytest.raises(InputError, match="must be one of small, always, never"):
        export(run, tmp_path / "none", trainable="yes")


def test_a_network_with_custom_layers_is_exported_without_the_keras_file(splits, tmp_path):
    def closed(input_shape, classes):
        crops = keras.Input(input_shape)
        x = keras.layers.Lambda(lambda pixels: pixels * 2)(keras.layers.Flatten()(crops))
        return keras.Model(crops, keras.layers.Dense(classes)(x))

    run = fit(closed, splits, epochs=1)
    assert not (export(run, tmp_path / "model") / "network.keras").exists()
    with pytest.raises(ModelError, match="without your code"):
        export(run, tmp_path / "again", trainable="always")


@pytest.mark.parametrize("net", ["ConvolutionalLstmNN", "TimeDelayConvNN"])
def test_a_network_for_clips_predicts_sequences_through_fermodel(net, splits, tmp_path):
    clips = dataclasses.replace(splits.train, images=np.stack([splits.train.images] * 3, axis=1))
    settings = FitSettings(epochs=3, batch_size=32, learning_rate=0.01, weight_decay=0.0)
    run = fit(net, Splits.of(clips), settings=settings, net_settings={"filters": 8})
    model = FERModel(model=export(run, tmp_path / "model"), target_emotions="all")
    assert model.card.input.frames == 3
    crops = splits.calibration.images[..., 0]
    order = np.argsort(splits.calibration.truth, kind="stable")
    shown = np.array([prediction.emotion for prediction in model.predict_sequence(crops[order])])
    truth = np.array(splits.calibration.labels)[splits.calibration.truth[order]]
    assert np.mean(shown == truth) > 0.7


@pytest.fixture(scope="module")
def custom_loop(splits):
    """A network trained with Keras alone, and the generator that fed it."""
    generator = DataGenerator()
    generator.config_augmentation(rotation_angle=3, shift_range=0.02)
    generator.fit(splits.train.images, splits.train.targets)
    keras.utils.set_random_seed(0)
    crops = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(8, 3, activation="relu")(crops)
    x = keras.layers.GlobalMaxPooling2D()(x)
    model = keras.Model(crops, keras.layers.Dense(3)(x), name="by_hand")
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(generator.generate(batch_size=32), epochs=12, verbose=0)
    return model, generator


def test_a_network_from_a_custom_training_loop_becomes_a_model(custom_loop, splits, tmp_path):
    model, generator = custom_loop
    labels = splits.train.labels
    prior = dict(zip(labels, splits.train.targets.mean(axis=0), strict=True))
    folder = export(model, tmp_path / "mine", labels=labels, spec=generator.spec, label_prior=prior)
    check_model_folder(folder)
    card, _ = find_keras_model(folder)
    assert (card.name, card.labels, card.input) == ("by_hand", labels, generator.spec)
    assert card.training["network"] == "by_hand"
    assert card.training["label_prior"] == pytest.approx(prior, abs=1e-4)
    found = FERModel(model=folder).predict_faces(splits.validation.images)
    shown = np.array([prediction.emotion for prediction in found])
    assert np.mean(shown == np.array(labels)[splits.validation.truth]) > 0.8
    bare = export(model, tmp_path / "bare", labels=labels, spec=generator.spec, name="bare")
    assert "label_prior" not in load_model(bare).card.training


def test_a_network_without_its_labels_or_input_is_refused(custom_loop, run, splits, tmp_path):
    model, generator = custom_loop
    labels, spec = splits.train.labels, generator.spec
    softmax = keras.Model(model.inputs[0], keras.layers.Softmax()(model.outputs[0]), name="softmax")
    for trained, settings, error, reason in (
        (model, {}, InputError, "`labels` and `spec` must be given"),
        (model, {"labels": labels}, InputError, "spec=generator.spec"),
        (model, {"labels": "abc", "spec": spec}, InputError, "labels='abc'"),
        (model, {"labels": labels[:2], "spec": spec}, ModelError, r"return \(None, 2\)"),
        (model, {"labels": labels, "spec": InputSpec(20, 16)}, ModelError, r"\(None, 20, 16, 1\)"),
        (
            model,
            {"labels": labels, "spec": spec, "label_prior": {"anger": 1.0}},
            InputError,
            "must name every label",
        ),
        (softmax, {"labels": labels, "spec": spec}, ModelError, "must return logits"),
        (run, {"labels": labels}, InputError, "must be left out for a run"),
        ("model.keras", {"labels": labels, "spec": spec}, InputError, "Received str"),
    ):
        with pytest.raises(error, match=reason):
            export(trained, tmp_path / "model", **settings)
    assert not (tmp_path / "model").exists()


def test_the_tolerance_is_relative_for_large_logits(custom_loop, splits, tmp_path, monkeypatch):
    model, generator = custom_loop
    crops = keras.Input((16, 16, 1))
    loud = keras.Model(crops, keras.layers.Rescaling(1e5)(model(crops)), name="loud")
    settings = {"labels": splits.train.labels, "spec": generator.spec}
    export(loud, tmp_path / "loud", **settings)
    other = keras.Model(crops, keras.layers.Rescaling(1.001e5)(model(crops)))
    monkeypatch.setattr(sys.modules["emopy.train.export"], "to_onnx", lambda _: to_onnx(other))
    with pytest.raises(ModelError, match="agree with Keras within"):
        export(loud, tmp_path / "other", **settings)


def logits_of(model, tensor, tmp_path):
    (tmp_path / "model.onnx").write_bytes(to_onnx(model))
    return OnnxSession(tmp_path / "model.onnx").run(tensor)


@pytest.mark.parametrize("resizing", ["layer", "none"])
def test_a_network_is_exported_in_inference_mode(tmp_path, resizing):
    crops = keras.Input((12, 12, 1))
    x = layers.Resizing(8, 8)(crops) if resizing == "layer" else crops
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(x))
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    model = keras.Model(crops, layers.Dense(3)(x))
    tensor = np.random.default_rng(0).normal(2, 3, (5, 12, 12, 1)).astype("float32")
    expected = keras.ops.convert_to_numpy(model(tensor, training=False))
    np.testing.assert_allclose(logits_of(model, tensor, tmp_path), expected, atol=1e-4)


def test_the_batch_size_of_the_exported_file_is_free(tmp_path):
    crops = keras.Input((8, 8, 1), name="pixels")
    model = keras.Model(crops, layers.Dense(2)(layers.Flatten()(crops)))
    (tmp_path / "model.onnx").write_bytes(to_onnx(model))
    session = OnnxSession(tmp_path / "model.onnx")
    assert session.input_shape == (8, 8, 1)
    for n in (1, 3):
        assert session.run(np.zeros((n, 8, 8, 1), np.float32)).shape == (n, 2)


def test_two_exports_of_one_network_are_the_same_file():
    network = get_net("ResidualNN")((16, 16, 1), 3, **SMALL)
    assert to_onnx(network) == to_onnx(network)
