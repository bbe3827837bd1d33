"""From a network of 32-bit numbers to one of 8-bit integers, with ONNX Runtime's own tools."""

from __future__ import annotations

import contextlib
import io
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.errors import MissingExtraError
from emopy.models.session import OnnxSession

_BATCH = 32
"""Samples that ranges are measured on at a time; the tools want batches of one size, so that a
rest of fewer is left out where there is a whole batch."""


_IN_INTEGERS = ["Conv", "Gemm", "MatMul", "MaxPool", "Relu"]
"""What is computed with integers. To bring sums, products and means of images there and back
takes longer than they do, and costs accuracy."""


def quantize_graph(
    session: OnnxSession, tensor: NDArray[np.float32], file: Path, *, percentile: float
) -> None:
    """Write the 8-bit version of a network.

    Activations are 8 bits without sign. Weights have a scale per channel and 7 bits: on CPUs that
    add up products in 16 bits, eight would overflow.

    Args:
        session: The network.
        tensor: (n, H, W, C) or (n, T, H, W, C) float32: the range of each layer is measured on it.
        file: ONNX file to write.
        percentile: Share of a layer's values, in percent, that its range covers.

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
    with contextlib.redirect_stdout(io.StringIO()):  # the tools chatter there
        shapes.quant_pre_process(session.path, merged, skip_symbolic_shape=True)
        tools.quantize_static(
            merged,
            file,
            _reader(tools.CalibrationDataReader, session.input_name, tensor),
            quant_format=tools.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            op_types_to_quantize=_IN_INTEGERS,
            calibrate_method=tools.CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": percentile},
        )
    _shorten_names(file)


def _shorten_names(file: Path) -> None:
    """Give everything inside a network a short name: the long ones take a fifth of a small file.

    Recurrent networks keep theirs: their loops are networks within, which use names from outside.
    """
    onnx: Any = import_module("onnx")
    network = onnx.load(file)
    graph = network.graph
    within = onnx.AttributeProto.GRAPH
    if any(part.type == within for node in graph.node for part in node.attribute):
        return
    outside = {tensor.name for tensor in (*graph.input, *graph.output)}
    short: dict[str, str] = {"": ""}  # an input that is left out

    def shortened(name: str) -> str:
        return name if name in outside else short.setdefault(name, f"t{len(short)}")

    for node in graph.node:
        node.name = ""
        node.input[:] = map(shortened, node.input)
        node.output[:] = map(shortened, node.output)
    for tensor in graph.initializer:
        tensor.name = shortened(tensor.name)
    del graph.value_info[:]
    onnx.save(network, file)


def _reader(base: type[Any], name: str, tensor: NDArray[np.float32]) -> Any:
    """Batches in the form that the tools ask for."""
    starts = iter(range(0, max(len(tensor) - _BATCH, 0) + 1, _BATCH))

    def get_next(_: object) -> dict[str, NDArray[np.float32]] | None:
        start = next(starts, None)
        return None if start is None else {name: tensor[start : start + _BATCH]}

    return type("Batches", (base,), {"get_next": get_next})()
