"""A tiny but real model folder: the corner pixels of an 8 × 8 face are its logits."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emopy.data import Dataset
from emopy.models import InputSpec, ModelCard, load_model, to_tensor, write_model_folder

LABELS = ("anger", "fear", "happiness", "neutral")
SPEC = InputSpec(8, 8)


def corner_weights(*, scale):
    """(64, 4): the logit of label i is the brightness of pixel i times `scale`."""
    weights = np.zeros((64, len(LABELS)), np.float32)
    weights[range(len(LABELS)), range(len(LABELS))] = scale
    return weights


def as_onnx(weights):
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["faces", "shape"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ],
        "corners",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 8, 8, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", weights.shape[1]])],
        [
            numpy_helper.from_array(np.array([-1, 64], np.int64), "shape"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture
def model_folder(tmp_path) -> Path:
    weights = corner_weights(scale=8.0)
    crops = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8, 1)
    return write_model_folder(
        tmp_path / "corners",
        card=ModelCard("corners", "1", LABELS, SPEC, training={"network": "corners"}),
        weights=as_onnx(weights),
        golden_crops=crops,
        golden_logits=to_tensor(crops, SPEC).reshape(3, 64) @ weights,
    )


@pytest.fixture
def faces() -> Dataset:
    """80 faces, 20 of each label: 15 are predicted correctly and 5 as the next label."""
    rng = np.random.default_rng(0)
    y_true = np.repeat(np.arange(4), 20)
    y_pred = np.where(np.arange(80) % 20 < 15, y_true, (y_true + 1) % 4)
    images = rng.integers(0, 60, (80, 8, 8, 1), dtype=np.uint8)
    images[np.arange(80), 0, y_pred, 0] = rng.integers(150, 256, 80)
    return Dataset(
        images,
        np.eye(4, dtype=np.float32)[y_true],
        LABELS,
        np.full(80, ""),
        np.array([f"row {i}" for i in range(80)]),
    )


@pytest.fixture
def logits(model_folder, faces):
    return load_model(model_folder).logits(faces.images)
