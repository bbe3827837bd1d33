"""OUT: results as text, tables and pictures."""

from emopy.present.draw import draw_faces, save_image
from emopy.present.panels import COLORS
from emopy.present.record import as_record
from emopy.present.table import CSVSink, JSONLSink, JSONSink
from emopy.present.text import as_text, encodable

__all__ = [
    "COLORS",
    "CSVSink",
    "JSONLSink",
    "JSONSink",
    "as_record",
    "as_text",
    "draw_faces",
    "encodable",
    "save_image",
]
