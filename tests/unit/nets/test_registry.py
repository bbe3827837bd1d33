import keras
import numpy as np
import pytest
from keras import layers

from emopy.errors import RecipeError
from emopy.nets import ResidualNN, get_net, list_nets, register_net, registry


def test_built_in_networks_are_found_by_name():
    assert get_net("ResidualNN") is ResidualNN
    assert "ResidualNN" in list_nets()


def test_a_plain_function_is_a_network():
    def mine(input_shape, classes): ...

    assert get_net(mine) is mine


def test_a_decorated_function_is_found_by_its_name(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))

    @register_net
    def MyNN(input_shape, classes): ...

    assert get_net("MyNN") is MyNN


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match="Did you mean 'ResidualNN'"):
        get_net("ResidualN")


def network(nested=False):
    crops = registry.pixels_input((8, 8, 1))
    body = keras.Input((8, 8, 1))
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(2, 3, name="low")(body))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, name="high")(x))
    backbone = keras.Model(body, x, name=registry.BACKBONE)
    if nested:
        outer = keras.Input((8, 8, 1))
        inner = keras.Model(body, x, name="inner")
        backbone = keras.Model(outer, inner(outer), name=registry.BACKBONE)
    return keras.Model(crops, layers.Dense(2)(backbone(crops)))


def trainable_layers(model):
    return [variable.path.split("/")[-2] for variable in model.trainable_variables]


@pytest.mark.parametrize("nested", [False, True])
def test_a_backbone_is_frozen_and_unfrozen_from_the_top(nested):
    model = network(nested)
    registry.freeze_backbone(model)
    assert not {"low", "norm", "high"} & set(trainable_layers(model))
    registry.unfreeze_backbone(model, 0.4)
    assert {"low", "norm", "high"} & set(trainable_layers(model)) == {"high"}
    registry.unfreeze_backbone(model, 1.0)
    assert {"low", "norm", "high"} & set(trainable_layers(model)) == {"low", "high"}
    registry.unfreeze_backbone(model, 0.0)
    assert len(model.trainable_variables) == 2


def test_an_untrained_backbone_is_not_frozen():
    crops, body = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    untrained = keras.Model(
        body, layers.Flatten()(layers.Conv2D(2, 3)(body)), name=registry.UNTRAINED_BACKBONE
    )
    model = keras.Model(crops, layers.Dense(2)(untrained(crops)))
    registry.freeze_backbone(model)
    assert registry.backbone_of(model) is None
    assert len(model.trainable_variables) == 4


def test_layer_names_survive_a_saved_file(tmp_path):
    network().save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert registry.wants_pixels(loaded)
    assert registry.backbone_of(loaded).name == registry.BACKBONE


def test_a_network_without_these_names_is_unchanged():
    crops = keras.Input((4,))
    model = keras.Model(crops, layers.Dense(2)(crops))
    before = [np.asarray(weight) for weight in model.get_weights()]
    registry.freeze_backbone(model)
    registry.unfreeze_backbone(model, 0.5)
    assert not registry.wants_pixels(model)
    assert registry.backbone_of(model) is None
    assert len(model.trainable_variables) == len(before) == 2
