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
from emopy.models.session import OnnxSession

_BATCH_SIZE = 32
"""Samples per calibration batch. The tools need batches of one size: an incomplete last batch is
left out where there is a complete one."""

_QUANTIZED_OPERATORS = ["Conv", "Gemm", "MatMul", "MaxPool", "Relu"]
"""Operators computed in int8. The others stay in float32: converting their inputs and outputs
takes longer than it saves, and costs accuracy."""


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
            calibrate_method=tools.CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": percentile},
        )
    _shorten_names(file)


def _shorten_names(file: Path) -> None:
    """Shorten the names of nodes and tensors, which take a fifth of a small file.

    Recurrent models are left alone: their loops are subgraphs that refer to outer names.
    """
    onnx: Any = import_module("onnx")
    model = onnx.load(file)
    graph = model.graph
    subgraph = onnx.AttributeProto.GRAPH
    if any(attribute.type == subgraph for node in graph.node for attribute in node.attribute):
        return
    kept = {tensor.name for tensor in (*graph.input, *graph.output)}
    short: dict[str, str] = {"": ""}  # an optional input that is not given

    def shortened(name: str) -> str:
        return name if name in kept else short.setdefault(name, f"t{len(short)}")

    for node in graph.node:
        node.name = ""
        node.input[:] = map(shortened, node.input)
        node.output[:] = map(shortened, node.output)
    for tensor in graph.initializer:
        tensor.name = shortened(tensor.name)
    del graph.value_info[:]
    onnx.save(model, file)


def _reader(base: type[Any], name: str, tensor: NDArray[np.float32]) -> Any:
    """A calibration data reader over batches of the tensor."""
    starts = iter(range(0, max(len(tensor) - _BATCH_SIZE, 0) + 1, _BATCH_SIZE))

    def get_next(_: object) -> dict[str, NDArray[np.float32]] | None:
        start = next(starts, None)
        return None if start is None else {name: tensor[start : start + _BATCH_SIZE]}

    return type("Batches", (base,), {"get_next": get_next})()
