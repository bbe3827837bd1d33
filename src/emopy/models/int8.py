"""Static int8 quantization of ONNX models with the tools of ONNX Runtime."""

from __future__ import annotations

import contextlib
import io
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.errors import MissingExtraError
from emopy.models.onnx_names import has_subgraphs, shorten_names
from emopy.models.session import OnnxSession

_BATCH_SIZE = 32
"""Samples per calibration batch. The tools need batches of one size: an incomplete last batch is
left out where there is a complete one."""

_QUANTIZED_OPERATORS = ["Conv", "Gemm", "MatMul", "MaxPool", "Relu", "Add"]
"""Operators computed in int8. The others stay in float32: converting their inputs and outputs
takes longer than it saves, and costs accuracy. The same holds for an addition with an operand that
one of the others computes."""


def quantize_graph(
    session: OnnxSession, tensor: NDArray[np.float32], file: Path, *, percentile: float
) -> None:
    """Quantize an ONNX model to int8.

    Activations are unsigned 8-bit. Weights are 7-bit with one scale per channel: 8 bits would
    overflow on CPUs that accumulate products in 16 bits.

    Args:
        session: The float32 model.
        tensor: (n, H, W, C) or (n, T, H, W, C) float32, calibration samples that the range of
            each layer is measured on.
        file: ONNX file to write.
        percentile: Percentage of a layer's values that its range covers.

    Raises:
        MissingExtraError: The package `onnx` is missing.

    Source:
        Krishnamoorthi 2018, https://arxiv.org/abs/1806.08342; the file is in the QDQ form of
        https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
    """
    try:
        tools: Any = import_module("onnxruntime.quantization")
        shapes: Any = import_module("onnxruntime.quantization.shape_inference")
    except ImportError as error:
        raise MissingExtraError("Quantization", "train") from error
    merged = file.with_name("merged.onnx")
    with contextlib.redirect_stdout(io.StringIO()):  # the tools print to it
        shapes.quant_pre_process(session.path, merged, skip_symbolic_shape=True)
        additions_in_float32 = _prepare(merged)
        tools.quantize_static(
            merged,
            file,
            _reader(tools.CalibrationDataReader, session.input_name, tensor),
            quant_format=tools.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            op_types_to_quantize=_QUANTIZED_OPERATORS,
            nodes_to_exclude=additions_in_float32,
            calibrate_method=tools.CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": percentile},
        )
    shorten_names(file)


def _prepare(file: Path) -> list[str]:
    """Merge pooling into convolutions and name all nodes, in place.

    Returns:
        Names of the additions that stay in float32: an operand of theirs is computed in float32,
        or is a constant.
    """
    onnx: Any = import_module("onnx")
    model = onnx.load(file)
    merge_pooling(model.graph)
    for number, node in enumerate(model.graph.node):
        node.name = f"n{number}"  # the tools exclude nodes by name
    onnx.save(model, file)
    in_int8: set[str] = set()
    additions_in_float32: list[str] = []
    for node in model.graph.node:  # sorted: an operand comes before the nodes that use it
        if node.op_type == "Add" and not in_int8.issuperset(node.input):
            additions_in_float32.append(node.name)
        elif node.op_type in _QUANTIZED_OPERATORS:
            in_int8.update(node.output)
    return additions_in_float32


def merge_pooling(graph: Any) -> None:
    """Merge each average pooling into the 1 × 1 convolution after it, in place.

    The mean of k × k pixels and a 1 × 1 convolution are one convolution of k × k pixels with
    stride k. In int8 it takes less time than the pooling alone, although it multiplies k² times
    as often.

    Args:
        graph: An `onnx.GraphProto` with float32 weights.
    """
    numpy_helper: Any = import_module("onnx.numpy_helper")
    helper: Any = import_module("onnx.helper")
    if has_subgraphs(graph):  # which may use what the graph holds
        return
    weights = {tensor.name: tensor for tensor in graph.initializer}
    results = {tensor.name for tensor in graph.output}
    for pooling in [node for node in graph.node if node.op_type == "AveragePool"]:
        users = [node for node in graph.node if pooling.output[0] in node.input]
        if len(users) != 1 or pooling.output[0] in results:
            continue
        if not _merges(helper, pooling, users[0], weights):
            continue
        (convolution,) = users
        side, _ = _attributes(helper, pooling)["kernel_shape"]
        kernel = numpy_helper.to_array(weights[convolution.input[1]]) / np.float32(side**2)
        name = f"{convolution.input[1]}_pooled"
        spread = np.broadcast_to(kernel, (*kernel.shape[:2], side, side))
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(spread), name))
        convolution.input[0], convolution.input[1] = pooling.input[0], name
        del convolution.attribute[:]
        convolution.attribute.append(helper.make_attribute("kernel_shape", [side, side]))
        convolution.attribute.append(helper.make_attribute("strides", [side, side]))
        graph.node.remove(pooling)
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _merges(helper: Any, pooling: Any, user: Any, weights: dict[str, Any]) -> bool:
    """Whether the pooling covers each pixel once, and its user is a plain 1 × 1 convolution."""
    pool, conv = _attributes(helper, pooling), _attributes(helper, user)
    side = pool["kernel_shape"]
    return (
        user.op_type == "Conv"
        and user.input[1] in weights
        and list(weights[user.input[1]].dims[2:]) == [1, 1]
        and len(side) == 2
        and side[0] == side[1]
        and pool.get("strides", [1, 1]) == side
        and not any(pool.get("pads", ()))
        and pool.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
        and not pool.get("ceil_mode", 0)
        and set(conv.get("strides", [1])) == {1}
        and not any(conv.get("pads", ()))
        and conv.get("group", 1) == 1
    )


def _attributes(helper: Any, node: Any) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def _reader(base: type[Any], name: str, tensor: NDArray[np.float32]) -> Any:
    """A calibration data reader over batches of the tensor."""
    starts = iter(range(0, max(len(tensor) - _BATCH_SIZE, 0) + 1, _BATCH_SIZE))

    def get_next(_: object) -> dict[str, NDArray[np.float32]] | None:
        start = next(starts, None)
        return None if start is None else {name: tensor[start : start + _BATCH_SIZE]}

    return type("Batches", (base,), {"get_next": get_next})()
