import shutil
import sys

import pytest

from emopy.errors import InputError, MissingExtraError
from emopy.nets import ConvolutionalNN
from emopy.train import draw_graph


@pytest.fixture(scope="module")
def model():
    return ConvolutionalNN((16, 16, 1), 3, filters=4)


def test_the_layers_are_drawn_where_graphviz_is_and_asked_for_where_it_is_not(model, tmp_path):
    image = tmp_path / "images" / "graph.png"
    if shutil.which("dot"):
        assert draw_graph(model, image) == image
        assert image.read_bytes().startswith(b"\x89PNG")
    else:
        with pytest.raises(InputError, match="apt install graphviz"):
            draw_graph(model, image)


def test_a_missing_graphviz_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="winget install graphviz"):
        draw_graph(model, tmp_path / "graph.svg")


def test_a_missing_extra_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(MissingExtraError, match=r"emopy\[graph\]"):
        draw_graph(model, tmp_path / "graph.png")


def test_another_ending_is_refused(model, tmp_path):
    with pytest.raises(InputError, match=r"must end in \.png"):
        draw_graph(model, tmp_path / "graph.jpg")
