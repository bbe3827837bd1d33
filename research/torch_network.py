"""A Keras network rebuilt in PyTorch, to train it faster; its weights go back to Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

torch: Any = import_module("torch")
functional: Any = import_module("torch.nn.functional")

MAX_DIFFERENCE = 1e-3
"""Largest difference of the logits in Keras and in PyTorch."""

_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda x: x,
    "relu": functional.relu,
    "sigmoid": torch.sigmoid,
}


class TorchNetwork(torch.nn.Module):  # type: ignore[misc]
    """The layers of a Keras network for images, with its weights, in PyTorch.

    Args:
        network: Made of the layers of `ResidualNN` and of MobileNet: convolutions, batch
            normalization, poolings, additions, products, ReLU, dropout, dense layers and the like.

    Raises:
        KeyError: A layer of another type.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self._network = [network]  # in a list, so that it is no submodule
        self.layers = torch.nn.ModuleList()
        self._steps: list[tuple[str, Callable[..., Any], list[str]]] = []
        config: dict[str, Any] = network.get_config()
        for entry in config["layers"]:
            layer = network.get_layer(entry["name"])
            if isinstance(layer, keras.layers.InputLayer):
                self._input = layer.name
                continue
            made = _MAKERS[type(layer)](layer)
            if isinstance(made, torch.nn.Module):
                self.layers.append(made.requires_grad_(layer.trainable))
            self._steps.append((layer.name, made, list(_inputs(entry["inbound_nodes"]))))
        self.copy_from_keras()

    def forward(self, tensor: Any) -> Any:
        """Logits (n, k) for a tensor (n, H, W, C)."""
        values = {self._input: tensor.permute(0, 3, 1, 2)}
        for name, function, inputs in self._steps:
            values[name] = function(*(values[each] for each in inputs))
        return values[self._steps[-1][0]]

    def train(self, mode: bool = True) -> TorchNetwork:  # noqa: FBT001, FBT002 - as in PyTorch
        """Set the mode; layers that are not trainable in Keras stay in that of prediction."""
        super().train(mode)
        for module, layer in self._pairs():
            module.train(mode and layer.trainable)
        return self

    def copy_from_keras(self) -> None:
        """Take over the weights of the Keras network."""
        for module, layer in self._pairs():
            for tensor, array in zip(_tensors(module), layer.get_weights(), strict=True):
                order = _order(layer, array)
                tensor.data.copy_(torch.from_numpy(np.ascontiguousarray(array.transpose(order))))

    def copy_to_keras(self) -> keras.Model:
        """Put the weights into the Keras network and return it."""
        for module, layer in self._pairs():
            arrays = [tensor.detach().float().numpy() for tensor in _tensors(module)]
            orders = (_order(layer, array) for array in arrays)
            layer.set_weights(
                [a.transpose(np.argsort(order)) for a, order in zip(arrays, orders, strict=True)]
            )
        return self._network[0]

    def check_agreement(self) -> None:
        """Compare the logits of both for random input.

        Raises:
            ValueError: They differ: a layer has a setting that is not rebuilt.
        """
        network, training = self._network[0], self.training
        shape = (4, *network.input_shape[1:])
        tensor = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        expected = keras.ops.convert_to_numpy(network(tensor, training=False))
        self.eval()
        with torch.no_grad():
            found = self(torch.from_numpy(tensor)).numpy()
        self.train(training)
        if (difference := np.abs(found - expected).max()) > MAX_DIFFERENCE:
            raise ValueError(f"the logits of Keras and PyTorch differ by {difference:.2g}")

    def _pairs(self) -> Iterable[tuple[Any, keras.Layer]]:
        named = {name: made for name, made, _ in self._steps if isinstance(made, torch.nn.Module)}
        for name, module in named.items():
            layer = self._network[0].get_layer(name)
            if layer.weights:
                yield module, layer


class _Convolution(torch.nn.Module):  # type: ignore[misc]
    """A convolution with the padding "same" of TensorFlow: what is odd goes right and below."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        (side, _), (stride, _) = layer.kernel_size, layer.strides
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        entering, leaving = map(int, layer.kernel.shape[2:])
        self.convolution = torch.nn.Conv2d(
            entering,
            entering if depthwise else leaving,
            side,
            stride,
            padding=side // 2 if stride == 1 else 0,
            groups=entering if depthwise else 1,
            bias=layer.use_bias,
        )
        before = (side - stride) // 2
        after = side - stride - before
        self.padding = (before, after, before, after) if stride > 1 and side > stride else None
        self.activation = _ACTIVATIONS[layer.activation.__name__]
        self.in_float32 = depthwise and stride > 1  # its gradient is several times faster there

    def forward(self, x: Any) -> Any:
        if self.padding is not None:
            x = functional.pad(x, self.padding)
        if self.in_float32:
            with torch.autocast("cpu", enabled=False):
                return self.activation(self.convolution(x.float()))
        return self.activation(self.convolution(x))


def _normalization(layer: Any) -> Any:
    return torch.nn.BatchNorm2d(layer.gamma.shape[0], layer.epsilon, 1 - layer.momentum)


def _average_pooling(layer: Any) -> Callable[[Any], Any]:
    return lambda x: functional.avg_pool2d(x, layer.pool_size, ceil_mode=True)


def _global_pooling(layer: Any) -> Callable[[Any], Any]:
    return lambda x: x.mean((2, 3), keepdim=layer.keepdims)


def _relu(layer: Any) -> Callable[[Any], Any]:
    return functional.relu if layer.max_value is None else functional.relu6


def _enlargement(layer: Any) -> Callable[[Any], Any]:
    scale, mode = tuple(map(float, layer.size)), layer.interpolation
    return lambda x: functional.interpolate(x, scale_factor=scale, mode=mode)


def _rescaling(layer: Any) -> Callable[[Any], Any]:
    offset = torch.tensor(layer.offset, dtype=torch.float32).reshape(1, -1, 1, 1)
    return lambda x: x * layer.scale + offset


_MAKERS: dict[type[keras.Layer], Callable[[Any], Any]] = {
    keras.layers.Conv2D: _Convolution,
    keras.layers.DepthwiseConv2D: _Convolution,
    keras.layers.BatchNormalization: _normalization,
    keras.layers.ReLU: _relu,
    keras.layers.UpSampling2D: _enlargement,
    keras.layers.Rescaling: _rescaling,
    keras.layers.Concatenate: lambda _: lambda *parts: torch.cat(parts, 1),
    keras.layers.AveragePooling2D: _average_pooling,
    keras.layers.GlobalAveragePooling2D: _global_pooling,
    keras.layers.Dropout: lambda layer: torch.nn.Dropout(layer.rate),
    keras.layers.Add: lambda _: torch.add,
    keras.layers.Multiply: lambda _: torch.mul,
    keras.layers.Dense: lambda layer: torch.nn.Linear(*map(int, layer.kernel.shape)),
}


def _inputs(nodes: Any) -> Iterable[str]:
    """Names of the layers that a layer takes its inputs from, in the config of a network."""
    if isinstance(nodes, dict):
        if nodes.get("class_name") == "__keras_tensor__":
            yield nodes["config"]["keras_history"][0]
            return
        nodes = list(nodes.values())
    if isinstance(nodes, list | tuple):
        for each in nodes:
            yield from _inputs(each)


def _tensors(module: Any) -> list[Any]:
    """Weights of a module, in the order of the Keras layer."""
    if isinstance(module, torch.nn.BatchNorm2d):
        return [module.weight, module.bias, module.running_mean, module.running_var]
    inner = module.convolution if isinstance(module, _Convolution) else module
    return [inner.weight] if inner.bias is None else [inner.weight, inner.bias]


def _order(layer: Any, array: NDArray[np.float32]) -> tuple[int, ...]:
    """Order of the axes of a Keras weight in PyTorch.

    Kernel (h, w, in, out) → (out, in, h, w); depthwise (h, w, in, 1) → (in, 1, h, w);
    (in, out) → (out, in).
    """
    if array.ndim == 4:
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        return (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
    return (1, 0) if array.ndim == 2 else (0,)
