"""`as_html`: a result as a small table that a notebook shows."""

from __future__ import annotations

from jinja2 import Environment

from emopy.escaping import one_line
from emopy.present.face_labels import color_of
from emopy.types import FacePrediction, ImageResult

_TEMPLATE = """\
<table style="border-collapse: collapse; font: 13px sans-serif">
<caption style="text-align: left; padding: 2px 0">{{ source }}, {{ width }} × {{ height }}
{%- if not faces %}: no face{% endif %}</caption>
{%- for face in faces %}
<tr style="vertical-align: top; background: none">
<td style="text-align: left; padding: 4px 12px 4px 0">{{ face.name }}<br>
<b>{{ face.emotion }}</b> {{ face.confidence }}</td>
<td style="text-align: left; padding: 4px 0">
{%- for label, percent, color in face.bars %}
<div style="display: flex; line-height: 15px"><span style="width: 6.5em">{{ label }}</span>
<span style="width: {{ (1.6 * percent) | round(1) }}px; height: 10px; margin: 3px 6px 0 0;
background: {{ color }}"></span>{{ "%.1f" | format(percent) }}%</div>
{%- endfor %}</td>
</tr>
{%- endfor %}
</table>
"""


def as_html(result: ImageResult) -> str:
    """Return an HTML table with one row per face: emotion, confidence and a bar per emotion.

    Names and labels are escaped.
    """
    width, height = result.size
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    faces = [_cells(number, face) for number, face in enumerate(result, start=1)]
    return template.render(source=one_line(result.source), width=width, height=height, faces=faces)


def _cells(number: int, face: FacePrediction) -> dict[str, object]:
    labels = face.prediction.labels
    ranking = face.prediction.top(len(labels))
    return {
        "name": f"face {number}" if face.track is None else f"track {face.track}",
        "emotion": face.emotion or "not sure",
        "confidence": f"{face.confidence:.1%}",
        "bars": [
            (label, 100 * p, "rgb({}, {}, {})".format(*color_of(label, labels)))
            for label, p in ranking
        ],
    }
