"""OUT: results as text, tables, pictures and films."""

from emopy.present.draw import draw_faces, save_image
from emopy.present.episodes import Episode
from emopy.present.film import Film, check_film_path
from emopy.present.panels import COLORS
from emopy.present.placing import Steady
from emopy.present.plot import TimelinePlot, check_plot_path
from emopy.present.record import as_record
from emopy.present.summary import Summary, TrackSummary, summary_record, summary_text
from emopy.present.table import CSVSink, JSONLSink, JSONSink
from emopy.present.text import as_text, encodable
from emopy.present.timeline import (
    TIMELINE_FORMATS,
    open_timeline,
    timeline_columns,
    timeline_format,
    to_frame,
)

__all__ = [
    "COLORS",
    "TIMELINE_FORMATS",
    "CSVSink",
    "Episode",
    "Film",
    "JSONLSink",
    "JSONSink",
    "Steady",
    "Summary",
    "TimelinePlot",
    "TrackSummary",
    "as_record",
    "as_text",
    "check_film_path",
    "check_plot_path",
    "draw_faces",
    "encodable",
    "open_timeline",
    "save_image",
    "summary_record",
    "summary_text",
    "timeline_columns",
    "timeline_format",
    "to_frame",
]
