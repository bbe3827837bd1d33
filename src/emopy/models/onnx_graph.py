"""Read the weights of an ONNX file and build ONNX graphs, without the package ``onnx``.

The format is a protocol buffer: messages of numbered fields. Only what these two need is here.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, and
https://protobuf.dev/programming-guides/encoding/ for the encoding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emopy.errors import ModelError

Weights: TypeAlias = dict[str, NDArray[np.float32]]
"""Arrays of an ONNX file, by name."""

_IR_VERSION, _OPSET = 7, 12
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_FLOAT, _UINT8 = 1, 2  # TensorProto.DataType
_MODEL_GRAPH, _GRAPH_INITIALIZER = 7, 5  # fields of ModelProto and GraphProto
_INT, _STRING, _INTS = 2, 3, 7  # AttributeProto.AttributeType


def read_weights(path: Path) -> Weights:
    """Return the float32 arrays that an ONNX file holds.

    Raises:
        ModelError: No such file, or not an ONNX file.
    """
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The weights must be a readable ONNX file. Received {path}: {error.strerror}."
        ) from error
    try:
        tensors = _parts(b"".join(_parts(model, _MODEL_GRAPH)), _GRAPH_INITIALIZER)
        weights = dict(_read_tensor(one) for one in tensors if _numbers(one, 2) == [_FLOAT])
    except (IndexError, ValueError) as error:
        raise ModelError(
            f"The weights must be a sound ONNX file. Received {path}: {error}. "
            "Fetch or export the model again."
        ) from error
    return weights


class GraphBuilder:
    """Build a graph with one uint8 input and one float32 output, node by node.

    Args:
        shape: Shape of the input; a name stands for a free size.

    Attributes:
        input_name: Name of the input, to be used in nodes.
    """

    input_name = "input"

    def __init__(self, shape: Sequence[int | str]) -> None:
        self._shape = tuple(shape)
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, array: NDArray[np.floating]) -> str:
        """Add an array, as float32; return its name."""
        name = f"constant{len(self._constants)}"
        dims = b"".join(_field(1, size) for size in array.shape)
        data = _field(9, np.ascontiguousarray(array, "<f4").tobytes())
        self._constants.append(dims + _field(2, _FLOAT) + _field(8, name.encode()) + data)
        return name

    def add(self, operator: str, *inputs: str, **attributes: int | str | Sequence[int]) -> str:
        """Add a node of an operator with one output; return the name of that output."""
        name = f"node{len(self._nodes)}"
        fields = [_field(1, one.encode()) for one in inputs]
        fields += [_field(2, name.encode()), _field(4, operator.encode())]
        fields += [_field(5, _attribute(key, value)) for key, value in attributes.items()]
        self._nodes.append(b"".join(fields))
        return name

    def to_bytes(self, output: str, shape: Sequence[int | str]) -> bytes:
        """Return the content of the ONNX file, whose output is that of a node, of this shape."""
        graph = [_field(1, node) for node in self._nodes]
        graph.append(_field(2, b"graph"))
        graph += [_field(_GRAPH_INITIALIZER, constant) for constant in self._constants]
        graph.append(_field(11, _value_info(self.input_name, _UINT8, self._shape)))
        graph.append(_field(12, _value_info(output, _FLOAT, shape)))
        opset = _field(2, _OPSET)
        return b"".join(
            (_field(1, _IR_VERSION), _field(_MODEL_GRAPH, b"".join(graph)), _field(8, opset))
        )


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        content, kind = _field(3, value), _INT
    elif isinstance(value, str):
        content, kind = _field(4, value.encode()), _STRING
    else:
        content, kind = b"".join(_field(8, one) for one in value), _INTS
    return _field(1, name.encode()) + content + _field(20, kind)


def _value_info(name: str, element: int, shape: Sequence[int | str]) -> bytes:
    sizes = (_field(1, n) if isinstance(n, int) else _field(2, n.encode()) for n in shape)
    tensor = _field(1, element) + _field(2, b"".join(_field(1, size) for size in sizes))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _read_tensor(tensor: bytes) -> tuple[str, NDArray[np.float32]]:
    """Name and array of a TensorProto of float32."""
    data = b"".join([*_parts(tensor, 9), *_parts(tensor, 4)])  # in `raw_data` or `float_data`
    name = b"".join(_parts(tensor, 8)).decode()
    return name, np.frombuffer(data, "<f4").reshape(_numbers(tensor, 1))


def _numbers(message: bytes, number: int) -> list[int]:
    """Integers of the fields of that number."""
    return [value for found, value in _fields(message) if found == number and type(value) is int]


def _parts(message: bytes, number: int) -> list[bytes]:
    """Contents of the fields of that number: messages, strings, arrays."""
    return [value for found, value in _fields(message) if found == number and type(value) is bytes]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _read_varint(message, place)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, place = _read_varint(message, place)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if place + size > len(message):
            raise ValueError("it ends too early")
        yield key >> 3, message[place : place + size]
        place += size


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        part = message[place]
        value |= (part & 0x7F) << shift
        place += 1
        if part < 0x80:
            return value, place
        shift += 7
