"""Short names for the nodes and tensors of an ONNX file. Needs the package ``onnx``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any


def shorten_names(file: Path) -> None:
    """Number the tensors of an ONNX file in order and remove the names of its nodes, in place.

    Long names take a fifth of a small file, and converters count up in them: without this, two
    exports of one network would be different files. The names of inputs and outputs are kept.
    Recurrent models are left alone: their loops are subgraphs that refer to outer names.
    """
    onnx: Any = import_module("onnx")
    model = onnx.load(file)
    graph = model.graph
    if has_subgraphs(graph):
        return
    kept = {tensor.name for tensor in (*graph.input, *graph.output)}
    short: dict[str, str] = {"": ""}  # an optional input that is not given

    def shortened(name: str) -> str:
        return name if name in kept else short.setdefault(name, f"t{len(short)}")

    for node in graph.node:
        node.name = ""
        node.input[:] = map(shortened, node.input)
        node.output[:] = map(shortened, node.output)
    weights = {shortened(tensor.name): tensor for tensor in graph.initializer}
    for name, tensor in weights.items():
        tensor.name = name
    ordered = [weights[name] for name in short.values() if name in weights]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(ordered)
    graph.doc_string = ""
    for tensor in (*graph.input, *graph.output):
        for size in tensor.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = "n"
    onnx.save(model, file)


def has_subgraphs(graph: Any) -> bool:
    """Whether a node of an `onnx.GraphProto` holds another graph, such as a loop."""
    subgraph = import_module("onnx").AttributeProto.GRAPH
    return any(item.type == subgraph for node in graph.node for item in node.attribute)
