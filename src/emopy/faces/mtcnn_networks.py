"""The networks of MTCNN as ONNX graphs that ONNX Runtime computes fast.

In the published graphs PReLU takes half of the time: ONNX Runtime computes it number by number.
Here PReLU with slope a is written a · x + max((1 − a) · x, 0), which it computes in blocks of
channels like the layers around it. Outputs are those of the published graphs up to
rounding, but with x and y, which the weights have transposed, in the usual order: the graphs take
uint8 RGB images (n, H, W, 3), and give one array each:

* P-Net (n, 5, rows, columns): for each window four offsets and the logit of a face;
* R-Net (n, 5): four offsets and the logit;
* O-Net (n, 15): four offsets, five x and five y of the landmarks, and the logit.

The logit is the difference of the two outputs of the published softmax; its sigmoid is the score.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emopy.models.onnx_graph import GraphBuilder, Weights

Layer: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Kernel (out, in, height, width) and bias (out,) of a convolution."""

_BLOCK = 16
"""Channels that ONNX Runtime computes together; it computes other numbers number by number."""

_MEAN, _SCALE = 127.5, 1 / 128
"""Pixels are centered and scaled to about -1–1."""


def build_pnet(weights: Weights) -> bytes:
    """Build P-Net from the weights of its published file."""
    graph = GraphBuilder(("n", "height", "width", 3))
    slopes = [weights[f"p_re_lu_{name}"].ravel() for name in ("initializer_8", "1_initializer_6")]
    x, signs = _conv_pool_prelu(graph, _pixels(graph), _first(weights, "conv2d"), slopes[0])
    kernel, bias = _layer(weights, "conv2d_1")
    x = _conv(graph, x, (kernel * signs[:, None, None], bias))
    x = _prelu(graph, x, slopes[1])
    x = _conv(graph, x, _layer(weights, "conv2d_2"))
    heads = [_layer(weights, "conv2d_4"), _as_logit(_layer(weights, "conv2d_3"))]
    kernel, bias = (np.concatenate(parts) for parts in zip(*heads, strict=True))
    slopes_3 = weights["p_re_lu_2_initializer_3"].ravel()[:, None, None]
    # The heads are linear: they take both terms of PReLU, which need not be added before.
    scores = _conv(graph, graph.add("Relu", x), (kernel * (1 - slopes_3), bias))
    output = _conv(graph, x, (kernel * slopes_3, bias * 0), plus=scores)
    return graph.to_bytes(output, ("n", 5, "rows", "columns"))


def build_rnet(weights: Weights) -> bytes:
    """Build R-Net from the weights of its published file."""
    graph = GraphBuilder(("n", 24, 24, 3))
    first, slopes, second = _in_blocks(
        _first(weights, "conv2d_5"),
        weights["p_re_lu_3_initializer_14"].ravel(),
        _layer(weights, "conv2d_6"),
    )
    x = _conv(graph, _pixels(graph), first)
    x = _pool(graph, _prelu(graph, x, slopes), 3, "SAME_UPPER")
    x = _conv(graph, x, second)
    x = _pool(graph, _prelu(graph, x, weights["p_re_lu_4_initializer_12"]), 3, "VALID")
    x = _conv(graph, x, _layer(weights, "conv2d_7"))
    x = _prelu(graph, x, weights["p_re_lu_5_initializer_10"])
    heads = [_dense(weights, "dense_2"), _as_logit(_dense(weights, "dense_1"))]
    return graph.to_bytes(_classify(graph, x, weights, "dense", heads), ("n", 5))


def build_onet(weights: Weights) -> bytes:
    """Build O-Net from the weights of its published file."""
    graph = GraphBuilder(("n", 48, 48, 3))
    x = _conv(graph, _pixels(graph), _first(weights, "conv2d_8"))
    x = _pool(graph, _prelu(graph, x, weights["p_re_lu_7_initializer_22"]), 3, "SAME_UPPER")
    x = _conv(graph, x, _layer(weights, "conv2d_9"))
    x = _pool(graph, _prelu(graph, x, weights["p_re_lu_8_initializer_20"]), 3, "VALID")
    x = _conv(graph, x, _layer(weights, "conv2d_10"))
    x = _pool(graph, _prelu(graph, x, weights["p_re_lu_9_initializer_18"]), 2, "SAME_UPPER")
    x = _conv(graph, x, _layer(weights, "conv2d_11"))
    x = _prelu(graph, x, weights["p_re_lu_10_initializer_16"])
    offsets, points = _dense(weights, "dense_5"), _dense(weights, "dense_6")
    heads = [offsets, points, _as_logit(_dense(weights, "dense_4"))]
    return graph.to_bytes(_classify(graph, x, weights, "dense_3", heads), ("n", 15))


def _layer(weights: Weights, name: str) -> Layer:
    """A convolution, transposed to images in the usual order."""
    return weights[f"{name}/kernel:0"].transpose(0, 1, 3, 2), weights[f"{name}/bias:0"]


def _first(weights: Weights, name: str) -> Layer:
    """A convolution of pixels of 0–255."""
    kernel, bias = _layer(weights, name)
    return kernel * np.float32(_SCALE), bias - kernel.sum(axis=(1, 2, 3)) * (_MEAN * _SCALE)


def _dense(weights: Weights, name: str) -> Layer:
    """A dense layer: kernel (out, in) and bias (out,)."""
    return weights[f"{name}/kernel:0"].T, weights[f"{name}/bias:0"]


def _as_logit(layer: Layer) -> Layer:
    """The layer whose one output is the second output minus the first one."""
    kernel, bias = layer
    return kernel[1:] - kernel[:1], bias[1:] - bias[:1]


def _in_blocks(
    layer: Layer, slopes: NDArray[np.float32], following: Layer
) -> tuple[Layer, NDArray[np.float32], Layer]:
    """Two convolutions with PReLU between, with full blocks of channels and slopes up to 1.

    Where the slope a is above 1, PReLU is a · x − (a − 1) · max(x, 0): the first convolution gives
    x and, in one more channel, max(x, 0); the second takes their sum. A maximum over pixels may lie
    between the two, as PReLU rises there. Channels of zeros fill the last block.
    """
    steep = np.flatnonzero(slopes > 1)
    kernel, bias, next_kernel = layer[0], layer[1], following[0].copy()
    kernel, bias = np.concatenate([kernel, kernel[steep]]), np.concatenate([bias, bias[steep]])
    slope = slopes[steep, None, None]
    positive = next_kernel[:, steep] * (1 - slope)
    next_kernel[:, steep] *= slope
    next_kernel = np.concatenate([next_kernel, positive], axis=1)
    slopes = np.concatenate([np.minimum(slopes, 1), 0 * slopes[steep]])
    more = (0, -len(kernel) % _BLOCK)
    kernel = np.pad(kernel, (more, *((0, 0),) * 3))
    next_kernel = np.pad(next_kernel, ((0, 0), more, (0, 0), (0, 0)))
    return (kernel, np.pad(bias, more)), np.pad(slopes, more), (next_kernel, following[1])


def _pixels(graph: GraphBuilder) -> str:
    """The image as float32 (n, 3, H, W), 0–255."""
    transposed = graph.add("Transpose", graph.input_name, perm=(0, 3, 1, 2))
    return graph.add("Cast", transposed, to=1)


def _conv(graph: GraphBuilder, x: str, layer: Layer, *, plus: str = "") -> str:
    """A convolution, to which the output `plus` of another node is added."""
    kernel, bias = (graph.constant(part) for part in layer)
    size = layer[0].shape[2:]
    y = graph.add("Conv", x, kernel, bias, kernel_shape=size)
    return graph.add("Add", y, plus) if plus else y


def _pool(graph: GraphBuilder, x: str, side: int, padding: str) -> str:
    return graph.add("MaxPool", x, kernel_shape=(side, side), strides=(2, 2), auto_pad=padding)


def _prelu(graph: GraphBuilder, x: str, slopes: NDArray[np.float32]) -> str:
    """PReLU with a slope of at most 1 for each channel."""
    slopes = slopes.reshape(-1, 1, 1)
    # The product first: ONNX Runtime computes it and its maximum with 0 at once.
    positive = graph.add("Relu", graph.add("Mul", x, graph.constant(1 - slopes)))
    return graph.add("Add", graph.add("Mul", x, graph.constant(slopes)), positive)


def _conv_pool_prelu(
    graph: GraphBuilder, x: str, layer: Layer, slopes: NDArray[np.float32]
) -> tuple[str, NDArray[np.float32]]:
    """A convolution, PReLU, and max-pooling of 2 × 2 pixels, with PReLU after the pooling.

    PReLU is the larger of x and a · x for slopes a up to 1, so that its maximum is the larger of
    max x and max a · x. Where a is negative the convolution gives a · x as well. Above 1 it is the
    smaller of max x and a · max x.

    Returns:
        The output, and for each channel the sign with which it holds the result.
    """
    kernel, bias = layer
    channels = np.arange(len(slopes))
    falling = np.flatnonzero(slopes < 0)
    both = np.concatenate([kernel, slopes[falling, None, None, None] * kernel[falling]])
    x = _conv(graph, x, (both, np.concatenate([bias, slopes[falling] * bias[falling]])))
    x = _pool(graph, x, 2, "SAME_UPPER")
    signs = np.where(slopes > 1, -1, 1).astype(np.float32)
    same = np.zeros((len(slopes), len(both), 1, 1), np.float32)
    same[channels, channels, 0, 0] = signs
    # What the other value is larger by, where it is the larger one (the smaller one above 1).
    other = np.zeros_like(same)
    other[channels, channels, 0, 0] = -np.abs(1 - np.maximum(slopes, 0))
    other[falling, len(slopes) + np.arange(len(falling)), 0, 0] = 1
    zeros = bias * 0
    larger = graph.add("Relu", _conv(graph, x, (other, zeros)))
    return _conv(graph, x, (same, zeros), plus=larger), signs


def _classify(graph: GraphBuilder, x: str, weights: Weights, name: str, heads: list[Layer]) -> str:
    """A dense layer with PReLU, and the outputs side by side."""
    kernel, bias = _dense(weights, name)
    # The published layer takes (width, height, channels), this one (channels, height, width).
    channels = kernel.shape[1] // 9
    kernel = kernel.reshape(-1, 3, 3, channels).transpose(0, 3, 2, 1).reshape(kernel.shape)
    x = _gemm(graph, graph.add("Flatten", x, axis=1), (kernel, bias))
    kernel, bias = (np.concatenate(parts) for parts in zip(*heads, strict=True))
    slopes = weights["slope"]
    positive = _gemm(graph, graph.add("Relu", x), (kernel * (1 - slopes), bias))
    return graph.add("Add", _gemm(graph, x, (kernel * slopes, bias * 0)), positive)


def _gemm(graph: GraphBuilder, x: str, layer: Layer) -> str:
    kernel, bias = (graph.constant(part) for part in layer)
    return graph.add("Gemm", x, kernel, bias, transB=1)
