import keras
import numpy as np
import pytest
from keras import layers

from emopy.models import OnnxSession
from emopy.train.convert import to_onnx


def logits_of(model, tensor, tmp_path):
    (tmp_path / "model.onnx").write_bytes(to_onnx(model))
    return OnnxSession(tmp_path / "model.onnx").run(tensor)


@pytest.mark.parametrize("resizing", ["layer", "none"])
def test_a_network_is_written_as_it_answers_not_as_it_learns(tmp_path, resizing):
    crops = keras.Input((12, 12, 1))
    x = layers.Resizing(8, 8)(crops) if resizing == "layer" else crops
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(x))
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    model = keras.Model(crops, layers.Dense(3)(x))
    tensor = np.random.default_rng(0).normal(2, 3, (5, 12, 12, 1)).astype("float32")
    expected = keras.ops.convert_to_numpy(model(tensor, training=False))
    np.testing.assert_allclose(logits_of(model, tensor, tmp_path), expected, atol=1e-4)


def test_any_number_of_crops_can_be_asked_about(tmp_path):
    crops = keras.Input((8, 8, 1), name="pixels")
    model = keras.Model(crops, layers.Dense(2)(layers.Flatten()(crops)))
    (tmp_path / "model.onnx").write_bytes(to_onnx(model))
    session = OnnxSession(tmp_path / "model.onnx")
    assert session.input_shape == (8, 8, 1)
    for n in (1, 3):
        assert session.run(np.zeros((n, 8, 8, 1), np.float32)).shape == (n, 2)
