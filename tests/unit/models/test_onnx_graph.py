import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emopy.errors import ModelError
from emopy.models.onnx_graph import GraphBuilder, read_weights
from emopy.models.session import open_graph


def saved(path, *tensors):
    graph = helper.make_graph([], "weights", [], [], list(tensors))
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def test_weights_are_read_in_both_forms_and_other_types_are_left_out(tmp_path):
    rng = np.random.default_rng(0)
    raw, plain = (rng.normal(size=shape).astype(np.float32) for shape in ((2, 3, 300), (5,)))
    path = saved(
        tmp_path / "a.onnx",
        numpy_helper.from_array(raw, "raw"),
        helper.make_tensor("plain", TensorProto.FLOAT, plain.shape, plain.tolist()),
        numpy_helper.from_array(np.float32(3), "scalar"),
        numpy_helper.from_array(np.arange(4), "integers"),
    )
    weights = read_weights(path)
    assert sorted(weights) == ["plain", "raw", "scalar"]
    np.testing.assert_array_equal(weights["raw"], raw)
    np.testing.assert_array_equal(weights["plain"], plain)
    assert weights["scalar"].shape == ()


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b[9:], lambda b: b + b"\x0f"]
)
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = saved(tmp_path / "net.onnx", numpy_helper.from_array(np.ones(99, np.float32), "ones"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"must be a sound ONNX file. Received .*net\.onnx"):
        read_weights(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        read_weights(tmp_path / "none.onnx")


def test_a_built_graph_is_valid_and_runs():
    graph = GraphBuilder(("n", 4, "width", 300))
    kernel = np.random.default_rng(1).normal(size=(2, 300, 3, 1))
    x = graph.add("Transpose", graph.input_name, perm=(0, 3, 1, 2))
    x = graph.add("Cast", x, to=1)
    x = graph.add("Conv", x, graph.constant(kernel), kernel_shape=(3, 1), auto_pad="VALID")
    content = graph.to_bytes(x, ("n", 2, 2, "width"))
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    image = np.random.default_rng(2).integers(0, 256, (3, 4, 5, 300), dtype=np.uint8)
    (found,) = open_graph(content, "a test").run(None, {graph.input_name: image})
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), 3, axis=1)
    np.testing.assert_allclose(found, np.einsum("nrwck,ockx->norw", windows, kernel), rtol=1e-3)
