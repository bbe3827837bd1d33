"""`notebook_page`: cells with their outputs, drawn like Jupyter, for the image of the README.

The code is run and the outputs are those of EmoPy; only the frame around them is drawn here.
"""

from __future__ import annotations

import base64
import io
import tempfile
from contextlib import chdir
from html import escape
from typing import Any

from PIL import Image

from emopy.present import save_image
from emopy.types import RGBImage

CELLS = (
    'from emopy import FERModel\n\nresult = FERModel().predict("group.png")\nresult.show()',
    "result",
)
"""The code in the notebook; each cell shows the value of its last line."""

_CELL_STYLE = """
body { margin: 0; padding: 14px 18px; background: white; font: 14px sans-serif; color: #111 }
pre { margin: 0; padding: 8px 10px; background: #f5f5f5; border: 1px solid #ddd;
  font: 13px monospace }
.cell { display: grid; grid-template-columns: 40px 1fr; gap: 8px 6px; margin-bottom: 16px }
.count { padding-top: 9px; font: 13px monospace; color: #307fc1 }
.output { grid-column: 2 }
.output img { display: block; width: 440px }
"""


def notebook_page(image: RGBImage) -> tuple[str, list[list[float]]]:
    """Run `CELLS` where `group.png` is the image (H, W, 3) uint8 RGB.

    Returns:
        A page with the cells and their outputs, and the probabilities of each face.
    """
    names: dict[str, Any] = {}
    cells: list[str] = []
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        save_image(image, "group.png")
        for number, code in enumerate(CELLS, start=1):
            *start, last = code.split("\n")
            exec("\n".join([*start, f"shown = {last}"]), names)
            output = _output(names["shown"])
            source = f'<div class="count">[{number}]:</div><pre>{escape(code)}</pre>'
            cells.append(f'<div class="cell">{source}<div class="output">{output}</div></div>')
    page = f"<!doctype html><meta charset=utf-8><style>{_CELL_STYLE}</style>{''.join(cells)}"
    faces = names["result"].faces
    return page, [face.prediction.probabilities.round(5).tolist() for face in faces]


def _output(value: Any) -> str:
    """HTML of a value as Jupyter shows it."""
    if isinstance(value, Image.Image):
        content = io.BytesIO()
        value.save(content, "PNG")
        encoded = base64.b64encode(content.getvalue()).decode()
        return f'<img src="data:image/png;base64,{encoded}">'
    return value._repr_html_()
