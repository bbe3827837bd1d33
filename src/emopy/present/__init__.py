"""OUT: results as text, tables, images and films."""

from emopy.present.draw import draw_faces, save_image
from emopy.present.label_state import LabelState
from emopy.present.panels import COLORS
from emopy.present.plot import TimelinePlot, check_plot_path
from emopy.present.record import as_record
from emopy.present.table import CSVSink, JSONLSink, JSONSink
from emopy.present.text import as_text, encodable
from emopy.present.timeline import (
    TIMELINE_FORMATS,
    open_timeline,
    timeline_columns,
    timeline_format,
    to_frame,
)
from emopy.present.video_sink import VideoSink, check_video_path
from emopy.video.episodes import Episode
from emopy.video.summary import Summary, TrackSummary, summary_record, summary_text

__all__ = [
    "COLORS",
    "TIMELINE_FORMATS",
    "CSVSink",
    "Episode",
    "JSONLSink",
    "JSONSink",
    "LabelState",
    "Summary",
    "TimelinePlot",
    "TrackSummary",
    "VideoSink",
    "as_record",
    "as_text",
    "check_plot_path",
    "check_video_path",
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
