import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emopy.models.int8 import merge_pooling, quantize_graph
from emopy.models.session import OnnxSession, open_graph
from emopy.nets import ResidualNN
from emopy.train.export import to_onnx

CHANNELS = 3


def pooled_projection(*, side=2, pool=None, conv=None, kernel=1, used_twice=False):
    """A graph of a pooling and a convolution after it, with changed attributes."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(5, CHANNELS, kernel, kernel)).astype(np.float32)
    bias = rng.normal(size=5).astype(np.float32)
    pooling = {"kernel_shape": [side, side], "strides": [side, side]} | (pool or {})
    nodes = [
        helper.make_node("AveragePool", ["x"], ["pooled"], **pooling),
        helper.make_node("Conv", ["pooled", "w", "b"], ["projected"], **(conv or {})),
    ]
    if used_twice:
        nodes.append(helper.make_node("GlobalAveragePool", ["pooled"], ["mean"]))
        nodes.append(helper.make_node("GlobalAveragePool", ["projected"], ["other"]))
        nodes.append(helper.make_node("Concat", ["mean", "other"], ["y"], axis=1))
    else:
        nodes.append(helper.make_node("Relu", ["projected"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "pooled",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, CHANNELS, 12, 12])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def outputs_of(model):
    onnx.checker.check_model(model, full_check=True)
    x = np.random.default_rng(1).normal(size=(2, CHANNELS, 12, 12)).astype(np.float32)
    (found,) = open_graph(model.SerializeToString(), "a test").run(None, {"x": x})
    return found


def operators_of(model):
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("side", [2, 3])
def test_pooling_before_a_projection_becomes_one_convolution_with_the_same_result(side):
    model = pooled_projection(side=side)
    before = outputs_of(model)
    merge_pooling(model.graph)
    assert operators_of(model) == ["Conv", "Relu"]
    assert sorted(tensor.name for tensor in model.graph.initializer) == ["b", "w_pooled"]
    np.testing.assert_allclose(outputs_of(model), before, atol=1e-5)


@pytest.mark.parametrize(
    "other",
    [
        {"pool": {"strides": [1, 1]}},
        {"pool": {"pads": [0, 0, 1, 1]}},
        {"pool": {"auto_pad": "SAME_UPPER"}},
        {"pool": {"ceil_mode": 1}},
        {"pool": {"kernel_shape": [2, 3], "strides": [2, 3]}},
        {"conv": {"strides": [2, 2]}},
        {"conv": {"pads": [1, 1, 1, 1]}},
        {"kernel": 3},
        {"used_twice": True},
    ],
    ids=str,
)
def test_other_poolings_stay(other):
    model = pooled_projection(**other)
    before = model.SerializeToString()
    merge_pooling(model.graph)
    assert model.SerializeToString() == before


def quantized(network, folder):
    """Operators of a network in int8, and the operators that additions take their inputs from."""
    file = folder / "large.onnx"
    file.write_bytes(to_onnx(network))
    crops = np.random.default_rng(0).normal(size=(8, 16, 16, 1)).astype(np.float32)
    session, small = OnnxSession(file), folder / "small.onnx"
    quantize_graph(session, crops, small, percentile=99.99)
    found, expected = OnnxSession(small).run(crops), session.run(crops)
    assert np.abs(found - expected).max() < 0.1 * np.abs(expected).max()
    graph = onnx.load(small).graph
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    additions = [node for node in graph.node if node.op_type == "Add"]
    return [node.op_type for node in graph.node], {
        made_by[name] for node in additions for name in node.input
    }


def test_the_blocks_of_a_plain_residual_network_are_in_int8_throughout(tmp_path):
    keras.utils.set_random_seed(0)
    settings = {"widths": (8, 16), "blocks": (1, 1), "stem_stride": 2}
    operators, operands = quantized(ResidualNN((16, 16, 1), 3, squeeze=0.0, **settings), tmp_path)
    assert "AveragePool" not in operators
    assert operands == {"DequantizeLinear"}


def test_an_addition_beside_a_product_stays_in_32_bits(tmp_path):
    keras.utils.set_random_seed(0)
    settings = {"widths": (8, 16), "blocks": (1, 1), "stem_stride": 2}
    _, operands = quantized(ResidualNN((16, 16, 1), 3, **settings), tmp_path)
    assert "Mul" in operands


def test_an_addition_to_a_sum_in_32_bits_stays_in_32_bits(tmp_path):
    keras.utils.set_random_seed(0)
    crops = keras.Input((16, 16, 1))
    first, second, third = (keras.layers.Conv2D(8, 3, padding="same")(crops) for _ in range(3))
    gate = keras.layers.Activation("sigmoid")(second)
    total = keras.layers.Add()([keras.layers.Add()([first, gate]), third])
    pooled = keras.layers.GlobalAveragePooling2D()(total)
    _, operands = quantized(keras.Model(crops, keras.layers.Dense(3)(pooled)), tmp_path)
    assert "Add" in operands
