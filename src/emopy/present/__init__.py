"""Results as text, tables, data frames, drawings, plots and annotated videos."""

from emopy.present.draw import draw_faces, save_image
from emopy.present.episode_table import EPISODE_COLUMNS, episodes_csv, overview_text
from emopy.present.face_labels import COLORS
from emopy.present.frame import to_arrow, to_frame
from emopy.present.label_layout import LabelState
from emopy.present.overview_plot import plot_overview
from emopy.present.table import Table, open_table, table_format
from emopy.present.text import as_text, encodable, summary_text
from emopy.present.timeline_plot import TimelinePlot, check_plot_path
from emopy.present.video_sink import VideoSink, check_video_path
from emopy.tables import TABLE_FORMATS

__all__ = [
    "COLORS",
    "EPISODE_COLUMNS",
    "TABLE_FORMATS",
    "LabelState",
    "Table",
    "TimelinePlot",
    "VideoSink",
    "as_text",
    "check_plot_path",
    "check_video_path",
    "draw_faces",
    "encodable",
    "episodes_csv",
    "open_table",
    "overview_text",
    "plot_overview",
    "save_image",
    "summary_text",
    "table_format",
    "to_arrow",
    "to_frame",
]
