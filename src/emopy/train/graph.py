"""An image of a network's layers."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import keras

from emopy.errors import InputError, MissingExtraError


def draw_graph(model: keras.Model, path: str | Path) -> Path:
    """Draw the layers of a network and their shapes. Needs the extra `graph` and Graphviz.

    Args:
        model: Any network, `Run.model` for one.
        path: Image to write; the ending chooses the format: ``.png``, ``.svg`` or ``.pdf``.

    Returns:
        The path.

    Raises:
        MissingExtraError: pydot is not installed.
        InputError: Graphviz is not installed, or another ending.
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
    path.parent.mkdir(parents=True, exist_ok=True)
    keras.utils.plot_model(model, path, show_shapes=True, expand_nested=True, dpi=96)
    return path
