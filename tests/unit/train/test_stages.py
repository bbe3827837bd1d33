import re

import keras
import numpy as np
import pytest

from emopy.data import Splits
from emopy.errors import RecipeError
from emopy.models import load_model
from emopy.nets import get_net
from emopy.nets.registry import backbone_of
from emopy.train import FitSettings, export, fit
from emopy.train.stages import Stage, compile_stage, dtype_policy, init_weights_from, plan_stages

SETTINGS = FitSettings(
    epochs=4,
    batch_size=64,
    learning_rate=5e-3,
    ema=0.8,
    patience=3,
    head_epochs_fraction=0.5,
    unfreeze_fraction=0.5,
)
SMALL_RESIDUAL = {"widths": [8, 16], "blocks": [1, 1]}
SHORT = FitSettings(epochs=3, batch_size=32, learning_rate=5e-3)


@pytest.fixture(scope="module")
def trained(splits, tmp_path_factory):
    """A small network trained on stripes, and its model folder."""
    run = fit("ResidualNN", splits, settings=SHORT, net_settings=SMALL_RESIDUAL)
    return run, export(run, tmp_path_factory.mktemp("models") / "own", name="own")


@pytest.fixture(scope="module")
def own_folder(trained):
    """The small network as a backbone."""
    return trained[1]


def transfer(splits: Splits, own_folder, folder=None, settings=SETTINGS):
    net_settings = {"backbone": own_folder, "dense": 8, "dropout": 0.2}
    return fit(
        "TransferLearningNN", splits, settings=settings, folder=folder, net_settings=net_settings
    )


def part_of(model):
    found = backbone_of(model)
    assert found is not None
    return found


def weights_of(run):
    return [np.asarray(weight) for weight in run.model.get_weights()]


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """The folders that `whole` left after every epoch."""
    return tmp_path_factory.mktemp("copies")


@pytest.fixture(scope="module")
def whole(splits, own_folder, kept_after, copies):
    with kept_after(copies):
        return transfer(splits, own_folder, copies / "end")


@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_a_training_in_two_stages_resumes_to_the_same_weights_after_any_epoch(
    whole, splits, own_folder, copies, epoch, capsys
):
    resumed = transfer(splits, own_folder, copies / str(epoch))
    shown = re.findall(r"^Epoch .*", capsys.readouterr().out, re.MULTILINE)
    assert shown == [f"Epoch {number}/4" for number in range(epoch + 1, 5)]
    assert list(resumed.history) == list(whole.history)
    for a, b in zip(weights_of(resumed), weights_of(whole), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_network_with_raw_pixels_input_gets_no_standardization(whole):
    assert (whole.spec.scale, whole.spec.mean, whole.spec.std) == (1 / 255, 0.0, 1.0)


def test_a_pretrained_backbone_speeds_up_training(whole):
    assert whole.history[-1]["val_accuracy"] > 0.6


def test_the_epochs_are_divided_between_the_stages(whole):
    model = whole.model
    assert plan_stages(model, SETTINGS) == (
        Stage(0, 2, 5e-3, 0.0),
        Stage(2, 4, 5e-3 * 0.1, 0.5),
    )
    assert plan_stages(model, FitSettings(epochs=1))[0].end == 1
    assert [
        stage.unfrozen for stage in plan_stages(model, FitSettings(head_epochs_fraction=1.0))
    ] == [0.0]
    assert [
        stage.unfrozen for stage in plan_stages(model, FitSettings(head_epochs_fraction=0.0))
    ] == [0.3]


def test_a_network_without_a_backbone_has_one_stage():
    crops = keras.Input((8, 8, 1))
    model = keras.Model(crops, keras.layers.Dense(2)(keras.layers.Flatten()(crops)))
    assert plan_stages(model, SETTINGS) == (Stage(0, 4, 5e-3, 1.0),)


def test_the_head_is_trained_first_and_then_the_top_without_batch_normalization(whole):
    model = keras.models.clone_model(whole.model)
    backbone = part_of(model)
    first, second = plan_stages(model, SETTINGS)

    compile_stage(model, first, SETTINGS, 3)
    assert backbone.trainable_variables == []
    assert not any(layer.trainable for layer in backbone.layers)
    assert len(model.trainable_variables) == 4

    compile_stage(model, second, SETTINGS, 3)
    learning = [layer for layer in backbone.layers if layer.trainable]
    assert 0 < len(learning) <= len(backbone.layers) // 2 + 1
    assert backbone.layers[-1] in learning
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in learning)
    assert 4 < len(model.trainable_variables) < len(model.variables)


def test_the_lower_layers_keep_their_weights(whole, own_folder, splits):
    begun = keras.saving.load_model(own_folder / "network.keras")
    ended = part_of(whole.model)
    changed = [
        any(np.abs(np.asarray(a) - np.asarray(b)).max() > 0 for a, b in zip(*pair, strict=True))
        for pair in (
            (mine.get_weights(), theirs.get_weights())
            for mine, theirs in zip(ended.layers, begun.layers[: len(ended.layers)], strict=True)
        )
    ]
    half = len(changed) // 2
    assert not any(changed[:half])
    assert any(changed[half:])


def test_a_transfer_network_exports_and_is_a_backbone_itself(whole, splits, tmp_path):
    folder = export(whole, tmp_path / "model")
    settings = FitSettings(epochs=2, batch_size=64)
    again = transfer(splits, folder, settings=settings)
    assert len(again.history) == 2
    export(again, tmp_path / "again")


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_ends_in_full_precision(splits, tmp_path, precision):
    settings = FitSettings(epochs=2, batch_size=64, ema=0.8, dtype_policy=precision)
    small = {"widths": [8], "blocks": [1]}
    run = fit("ResidualNN", splits, settings=settings, net_settings=small, folder=tmp_path / "run")
    assert keras.config.dtype_policy().name == "float32"
    assert {layer.compute_dtype for layer in run.model.layers} == {"float32"}
    export(run, tmp_path / "model")
    again = fit("ResidualNN", splits, settings=settings, net_settings=small, folder=run.folder)
    assert {layer.compute_dtype for layer in again.model.layers} == {"float32"}
    for a, b in zip(weights_of(again), weights_of(run), strict=True):
        np.testing.assert_array_equal(a, b)
    export(again, tmp_path / "again")


def test_mixed_precision_computes_in_half_precision_within():
    with dtype_policy("mixed_float16"):
        assert keras.layers.Dense(2).compute_dtype == "float16"
    assert keras.layers.Dense(2).compute_dtype == "float32"


@pytest.mark.parametrize("settings", [{"weights": None}, {"weights": object()}])
def test_a_setting_that_toml_cannot_hold_is_refused(splits, settings):
    with pytest.raises(RecipeError, match=r"`net\.settings` must be text"):
        fit("TransferLearningNN", splits, net_settings=settings)


@pytest.mark.parametrize(
    ("min_lr_ratio", "half_way", "end"), [(0.0, 0.5, 0.0), (0.2, 0.6, 0.2), (1.0, 1.0, 1.0)]
)
def test_the_learning_rate_warms_up_and_falls_to_its_minimum(min_lr_ratio, half_way, end):
    how = FitSettings(epochs=12, learning_rate=0.25, warmup=1 / 6, min_lr_ratio=min_lr_ratio)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    compile_stage(model, Stage(0, 12, 0.25, 1.0), how, steps_per_epoch=10)
    rates = []
    for step in (0, 10, 20, 70, 120):
        model.optimizer.iterations.assign(step)
        rates.append(float(model.optimizer.learning_rate) / 0.25)
    assert rates == pytest.approx([0.0, 0.5, 1.0, half_way, end], abs=1e-6)


def fresh(labels, **settings):
    return get_net("ResidualNN")((16, 16, 1), len(labels), **SMALL_RESIDUAL | settings)


def test_weights_are_copied_from_a_model(splits, trained):
    run, folder = trained
    network = fresh(splits.train.labels)
    assert (
        init_weights_from(str(folder), network, splits.train.labels)
        == load_model(folder).card.input
    )
    for new, old in zip(network.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_rows_of_the_last_layer_are_copied_for_common_labels(trained):
    run, folder = trained
    network = fresh(("neutral", "happiness", "anger"))
    before, _ = network.layers[-1].get_weights()
    init_weights_from(str(folder), network, ("neutral", "happiness", "anger"))
    (kernel, bias), (theirs, shift) = (net.layers[-1].get_weights() for net in (network, run.model))
    np.testing.assert_array_equal(kernel[:, [0, 2]], theirs[:, [2, 0]])
    np.testing.assert_array_equal(bias[[0, 2]], shift[[2, 0]])
    np.testing.assert_array_equal(kernel[:, 1], before[:, 1])


def test_a_training_from_a_model_has_a_lower_loss_and_resumes_exactly(
    splits, trained, tmp_path, kept_after
):
    begun_from = str(trained[1])
    how = FitSettings(epochs=2, batch_size=32, learning_rate=1e-4, warmup=0.0, init_from=begun_from)

    def train(folder):
        return fit("ResidualNN", splits, settings=how, folder=folder, net_settings=SMALL_RESIDUAL)

    with kept_after(tmp_path):
        whole = train(tmp_path / "uninterrupted")
    resumed = train(tmp_path / "1")
    assert whole.history[0]["loss"] < trained[0].history[0]["loss"]
    assert resumed.history == whole.history
    assert whole.spec == trained[0].spec


@pytest.mark.parametrize(
    ("settings", "start", "message"),
    [
        ({"widths": [8, 24]}, None, "same network.*`net.settings`.*backbone"),
        ({"blocks": [1, 2]}, None, "same network"),
        ({}, "nobody", "^`fit.init_from` must .*Received 'nobody'"),
    ],
)
def test_a_model_of_another_network_is_refused(splits, trained, settings, start, message):
    network = fresh(splits.train.labels, **settings)
    with pytest.raises(RecipeError, match=message):
        init_weights_from(start or str(trained[1]), network, splits.train.labels)


def test_another_input_size_is_refused(splits, trained):
    network = get_net("ResidualNN")((24, 24, 1), 3, **SMALL_RESIDUAL)
    with pytest.raises(RecipeError, match="same input size"):
        init_weights_from(str(trained[1]), network, splits.train.labels)


def test_another_network_in_init_from_is_refused_and_leaves_no_folder(splits, trained, tmp_path):
    settings = FitSettings(init_from=str(trained[1]))
    with pytest.raises(RecipeError, match="same network"):
        fit("ConvolutionalNN", Splits.of(splits.train), settings=settings, folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()
