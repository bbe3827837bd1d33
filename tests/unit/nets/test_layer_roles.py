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


def learning(model):
    return [variable.path.split("/")[-2] for variable in model.trainable_variables]


@pytest.mark.parametrize("nested", [False, True])
def test_a_backbone_is_frozen_and_released_from_the_top(nested):
    model = network(nested)
    layer_roles.freeze_backbone(model)
    assert not {"low", "norm", "high"} & set(learning(model))
    layer_roles.release_backbone(model, 0.4)
    assert {"low", "norm", "high"} & set(learning(model)) == {"high"}
    layer_roles.release_backbone(model, 1.0)
    assert {"low", "norm", "high"} & set(learning(model)) == {"low", "high"}
    layer_roles.release_backbone(model, 0.0)
    assert len(model.trainable_variables) == 2


def test_a_fresh_backbone_is_not_kept_frozen():
    crops, body = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    fresh = keras.Model(body, layers.Flatten()(layers.Conv2D(2, 3)(body)), name=layer_roles.FRESH)
    model = keras.Model(crops, layers.Dense(2)(fresh(crops)))
    layer_roles.freeze_backbone(model)
    assert layer_roles.backbone_of(model) is None
    assert len(model.trainable_variables) == 4


def test_the_marks_survive_a_file(tmp_path):
    network().save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert layer_roles.wants_pixels(loaded)
    assert layer_roles.backbone_of(loaded).name == layer_roles.BACKBONE


def test_a_network_without_marks_is_left_as_it_is():
    crops = keras.Input((4,))
    model = keras.Model(crops, layers.Dense(2)(crops))
    before = [np.asarray(weight) for weight in model.get_weights()]
    layer_roles.freeze_backbone(model)
    layer_roles.release_backbone(model, 0.5)
    assert not layer_roles.wants_pixels(model)
    assert layer_roles.backbone_of(model) is None
    assert len(model.trainable_variables) == len(before) == 2
