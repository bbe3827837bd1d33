import keras
import numpy as np
import pytest

from emopy.data import Splits
from emopy.errors import RecipeError
from emopy.nets.layer_roles import backbone_of
from emopy.train import FitSettings, export, fit
from emopy.train.stages import Stage, begin_stage, numbers, plan_stages

SETTINGS = FitSettings(
    epochs=4,
    batch_size=64,
    learning_rate=5e-3,
    ema=0.8,
    patience=3,
    head_epochs_fraction=0.5,
    unfreeze_fraction=0.5,
)


@pytest.fixture(scope="module")
def own_folder(splits, tmp_path_factory):
    """A small network that has learnt stripes, to learn on from."""
    small = {"widths": [8, 16], "blocks": [1, 1]}
    settings = FitSettings(epochs=3, batch_size=32, learning_rate=5e-3)
    run = fit("ResidualNN", splits, settings=settings, net_settings=small)
    return export(run, tmp_path_factory.mktemp("models") / "own", name="own")


def transfer(splits: Splits, own_folder, folder=None, settings=SETTINGS):
    wish = {"backbone": own_folder, "dense": 8, "dropout": 0.2}
    return fit("TransferLearningNN", splits, settings=settings, folder=folder, net_settings=wish)


def weights_of(run):
    return [np.asarray(weight) for weight in run.model.get_weights()]


@pytest.fixture(scope="module")
def whole(splits, own_folder):
    return transfer(splits, own_folder)


@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_a_training_in_two_stages_goes_on_to_the_same_weights_wherever_it_was_stopped(
    whole, splits, own_folder, tmp_path, killed_after, epoch
):
    with killed_after(epoch):
        transfer(splits, own_folder, tmp_path)
    resumed = transfer(splits, own_folder, tmp_path)
    assert list(resumed.history) == list(whole.history)
    for a, b in zip(weights_of(resumed), weights_of(whole), strict=True):
        np.testing.assert_array_equal(a, b)


def test_pixels_are_given_as_they_are_to_a_network_that_asks_for_it(whole):
    assert (whole.spec.scale, whole.spec.mean, whole.spec.std) == (1 / 255, 0.0, 1.0)


def test_a_network_that_knows_the_task_learns_it_again_at_once(whole):
    assert whole.history[-1]["val_accuracy"] > 0.6


def test_the_epochs_are_divided_between_the_stages(whole):
    model = whole.model
    assert plan_stages(model, SETTINGS) == (
        Stage(0, 2, 5e-3, 0.0),
        Stage(2, 4, pytest.approx(5e-4), 0.5),
    )
    assert plan_stages(model, FitSettings(epochs=1))[0].end == 1
    assert [
        stage.released for stage in plan_stages(model, FitSettings(head_epochs_fraction=1.0))
    ] == [0.0]
    assert [
        stage.released for stage in plan_stages(model, FitSettings(head_epochs_fraction=0.0))
    ] == [0.3]


def test_a_network_without_a_backbone_has_one_stage():
    crops = keras.Input((8, 8, 1))
    model = keras.Model(crops, keras.layers.Dense(2)(keras.layers.Flatten()(crops)))
    assert plan_stages(model, SETTINGS) == (Stage(0, 4, 5e-3, 1.0),)


def test_the_head_learns_alone_and_then_with_the_top_but_never_with_batch_normalisation(whole):
    model = keras.models.clone_model(whole.model)
    backbone = backbone_of(model)
    first, second = plan_stages(model, SETTINGS)

    begin_stage(model, first, SETTINGS, 3)
    assert backbone.trainable_variables == []
    assert not any(layer.trainable for layer in backbone.layers)
    assert len(model.trainable_variables) == 4

    begin_stage(model, second, SETTINGS, 3)
    learning = [layer for layer in backbone.layers if layer.trainable]
    assert 0 < len(learning) <= len(backbone.layers) // 2 + 1
    assert backbone.layers[-1] in learning
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in learning)
    assert 4 < len(model.trainable_variables) < len(model.variables)


def test_the_lower_layers_end_as_they_began(whole, own_folder, splits):
    begun = keras.saving.load_model(own_folder / "network.keras")
    ended = backbone_of(whole.model)
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
    with numbers("mixed_float16"):
        assert keras.layers.Dense(2).compute_dtype == "float16"
    assert keras.layers.Dense(2).compute_dtype == "float32"


@pytest.mark.parametrize("settings", [{"weights": None}, {"weights": object()}])
def test_a_setting_that_a_recipe_cannot_hold_is_refused(splits, settings):
    with pytest.raises(RecipeError, match=r"`net\.settings` must be text"):
        fit("TransferLearningNN", splits, net_settings=settings)


@pytest.mark.parametrize(
    ("min_lr_ratio", "half_way", "end"), [(0.0, 0.5, 0.0), (0.2, 0.6, 0.2), (1.0, 1.0, 1.0)]
)
def test_the_rate_rises_and_then_falls_to_the_share_that_is_wanted(min_lr_ratio, half_way, end):
    how = FitSettings(epochs=12, learning_rate=0.25, warmup=1 / 6, min_lr_ratio=min_lr_ratio)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    begin_stage(model, Stage(0, 12, 0.25, 1.0), how, steps_per_epoch=10)
    rates = []
    for step in (0, 10, 20, 70, 120):
        model.optimizer.iterations.assign(step)
        rates.append(float(model.optimizer.learning_rate) / 0.25)
    assert rates == pytest.approx([0.0, 0.5, 1.0, half_way, end], abs=1e-6)
