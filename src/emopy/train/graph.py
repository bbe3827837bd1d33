"""Diagram of the layers of a network."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import keras

from emopy.errors import InputError, MissingExtraError
from emopy.files import atomic_file


def draw_graph(model: keras.Model, path: str | Path) -> Path:
    """Draw the layers of a network with their shapes. Needs the extra `graph` and Graphviz.

    Args:
        model: Any network, such as `Run.model`.
        path: File to write: ``.png``, ``.svg`` or ``.pdf``.

    Returns:
        The path.

    Raises:
        MissingExtraError: pydot is not installed.
        InputError: Graphviz is not installed, or another file extension.
    """
    path = Path(path)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"`path` must end in .png, .svg or .pdf. Received {path}.")
    if find_spec("pydot") is None:
        raise MissingExtraError("Drawing a layer graph", "graph")
    if shutil.which("dot") is None:
        raise InputError(
            "Drawing a layer graph needs Graphviz, whose program `dot` must be on the PATH. "
            "Received none. Type: apt install graphviz (Linux), brew install graphviz (macOS) "
            "or winget install graphviz (Windows)."
        )
    with atomic_file(path) as temporary:
        keras.utils.plot_model(model, temporary, show_shapes=True, expand_nested=True, dpi=96)
    return path
