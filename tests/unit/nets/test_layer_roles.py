import keras
import numpy as np
import pytest
from keras import layers

from emopy.nets import layer_roles


def network(nested=False):
    crops = layer_roles.pixels_input((8, 8, 1))
    body = keras.Input((8, 8, 1))
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(2, 3, name="low")(body))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, name="high")(x))
    backbone = keras.Model(body, x, name=layer_roles.BACKBONE)
    if nested:
        outer = keras.Input((8, 8, 1))
        inner = keras.Model(body, x, name="inner")
        backbone = keras.Model(outer, inner(outer), name=layer_roles.BACKBONE)
    return keras.Model(crops, layers.Dense(2)(backbone(crops)))


def trainable_layers(model):
    return [variable.path.split("/")[-2] for variable in model.trainable_variables]


@pytest.mark.parametrize("nested", [False, True])
def test_a_backbone_is_frozen_and_unfrozen_from_the_top(nested):
    model = network(nested)
    layer_roles.freeze_backbone(model)
    assert not {"low", "norm", "high"} & set(trainable_layers(model))
    layer_roles.unfreeze_backbone(model, 0.4)
    assert {"low", "norm", "high"} & set(trainable_layers(model)) == {"high"}
    layer_roles.unfreeze_backbone(model, 1.0)
    assert {"low", "norm", "high"} & set(trainable_layers(model)) == {"low", "high"}
    layer_roles.unfreeze_backbone(model, 0.0)
    assert len(model.trainable_variables) == 2


def test_an_untrained_backbone_is_not_frozen():
    crops, body = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    untrained = keras.Model(
        body, layers.Flatten()(layers.Conv2D(2, 3)(body)), name=layer_roles.UNTRAINED_BACKBONE
    )
    model = keras.Model(crops, layers.Dense(2)(untrained(crops)))
    layer_roles.freeze_backbone(model)
    assert layer_roles.backbone_of(model) is None
    assert len(model.trainable_variables) == 4


def test_layer_names_survive_a_saved_file(tmp_path):
    network().save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert layer_roles.wants_pixels(loaded)
    assert layer_roles.backbone_of(loaded).name == layer_roles.BACKBONE


def test_a_network_without_these_names_is_unchanged():
    crops = keras.Input((4,))
    model = keras.Model(crops, layers.Dense(2)(crops))
    before = [np.asarray(weight) for weight in model.get_weights()]
    layer_roles.freeze_backbone(model)
    layer_roles.unfreeze_backbone(model, 0.5)
    assert not layer_roles.wants_pixels(model)
    assert layer_roles.backbone_of(model) is None
    assert len(model.trainable_variables) == len(before) == 2
