"""`TimelinePlot`: probabilities of the faces of a video over time, as one image.

    plot = TimelinePlot(model.labels)
    for result in model.predict_video("clip.mp4"):
        plot.add(result)
    plot.save("timeline.png")

A panel per face: stacked areas, one per emotion, that sum to 100 %. Memory use is that of about a
thousand time bins for each face, however long the video.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import Image

from emopy.errors import InputError
from emopy.escaping import one_line
from emopy.files import atomic_file, check_suffix
from emopy.present.plot_legend import draw_legend, legend_height, matplotlib_module
from emopy.present.stacked_areas import DIM_TEXT, TEXT, draw_areas, style_axes
from emopy.present.text import duration
from emopy.result_table import check_labels
from emopy.types import ImageResult, RGBImage
from emopy.video import TimeBins
from emopy.video.time_bins import check_min_duration

METADATA = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Metadata by file suffix, without what would make two equal plots differ."""

SETTINGS = {
    "font.family": "DejaVu Sans",  # part of Matplotlib: the same image everywhere
    "font.size": 8.5,
    "text.parse_math": False,
    "svg.hashsalt": "emopy",  # the same ids in every file
}
"""Settings of Matplotlib: the same summaries give the same plot everywhere."""

# Inches.
_WIDTH = 9.0
_HEADER = 0.72
_PANEL_TITLE = 0.38
_PANEL = 1.05
_FOOTER = 0.58
_LEFT = 0.62
_RIGHT = 0.24
_LEGEND_WIDTH = _WIDTH - _LEFT - _PANEL - _RIGHT

_THUMBNAIL_PX = 170

_THUMBNAILS_PER_PANEL = 8
"""Thumbnails kept for each panel: it is not known before the end which faces are seen longest."""

_TIME_TOLERANCE_S = 1e-6
"""Durations that differ by less are equal."""

_OFFSET = {"xycoords": "axes fraction", "textcoords": "offset points"}


class FaceThumbnails:
    """Keeps one small image per track: the face with the highest detector score."""

    def __init__(self) -> None:
        self._best: dict[int, tuple[float, RGBImage]] = {}

    @property
    def images(self) -> Mapping[int, RGBImage]:
        """Faces (H, W, 3) uint8 RGB of at most 170 pixels a side, by track."""
        return {track: image for track, (_, image) in self._best.items()}

    def add(self, image: RGBImage, result: ImageResult) -> None:
        """Add the faces of the next frame, a (H, W, 3) uint8 RGB image."""
        for face in result.faces:
            box = face.box
            rows = slice(max(0, round(box.top)), max(0, round(box.bottom)))
            columns = slice(max(0, round(box.left)), max(0, round(box.right)))
            crop = image[rows, columns]
            if face.track is None or not crop.size:
                continue
            if face.face.score > self._best.get(face.track, (0.0,))[0]:
                thumbnail = Image.fromarray(crop)
                thumbnail.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
                self._best[face.track] = (face.face.score, np.array(thumbnail))

    def keep(self, tracks: Collection[int]) -> None:
        """Remove all other tracks."""
        self._best = {track: best for track, best in self._best.items() if track in tracks}


class TimelinePlot:
    """Collects the predictions of a video and plots them as stacked areas over time.

    Args:
        labels: Labels of every prediction, in order.
        max_faces: Faces that get a panel, those seen longest; the others are counted.
        min_duration_s: Faces that are visible for less, in total, are neither shown nor counted.
            Seconds.
    """

    def __init__(
        self, labels: Sequence[str], *, max_faces: int = 6, min_duration_s: float = 0.0
    ) -> None:
        if max_faces < 1:
            raise InputError(
                f"`max_faces` must be 1 or more. Received {max_faces}. Type for example 6."
            )
        self.labels = tuple(labels)
        check_min_duration(min_duration_s)
        self._max_faces = max_faces
        self._min_duration_s = min_duration_s
        self._bins = TimeBins()
        self._thumbnails = FaceThumbnails()
        self._source = ""

    def add(self, result: ImageResult, image: RGBImage | None = None) -> None:
        """Add the faces of the next frame.

        Args:
            result: Faces and predictions.
            image: (H, W, 3) uint8 RGB: the frame. With it thumbnails of the faces are plotted.

        Raises:
            InputError: An image without a time, a time before the last one, a face without a
                track, or other labels.
        """
        check_labels(result, self.labels)
        self._bins.add(result)
        self._source = self._source or result.source
        if image is not None:
            self._thumbnails.add(image, result)
            limit = _THUMBNAILS_PER_PANEL * self._max_faces
            if len(self._thumbnails.images) > limit:
                self._thumbnails.keep(self._longest_seen(limit // 2))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the plot to a file and return its path; more results may follow.

        The same results give the same bytes.

        Args:
            path: Ends in ``.png``, ``.svg`` or ``.pdf``. Missing folders are created.

        Raises:
            InputError: Another suffix, or a path that cannot be written.
            MissingExtraError: Matplotlib is not installed.
        """
        path, suffix = Path(path), check_plot_path(path)
        settings = matplotlib_module().rc_context(SETTINGS)
        with settings, warnings.catch_warnings(), atomic_file(path) as partial:
            warnings.filterwarnings("ignore", "Glyph")  # a script that the font does not have
            self._draw().savefig(
                partial, format=suffix[1:], dpi=160, metadata=METADATA[suffix], facecolor="white"
            )
        return path

    def _draw(self) -> Any:
        thumbnails = self._thumbnails.images
        seen = self._bins.seen_s
        least_s = self._min_duration_s - _TIME_TOLERANCE_S
        tracks = [track for track in self._longest_seen(len(seen)) if seen[track] >= least_s]
        shown: list[int | None] = [*tracks[: self._max_faces]] or [None]
        header = _HEADER + legend_height(self.labels, _LEGEND_WIDTH)
        height = header + len(shown) * (_PANEL_TITLE + _PANEL) + _FOOTER
        figure = matplotlib_module("matplotlib.figure").Figure(figsize=(_WIDTH, height))
        has_thumbnails = any(track in thumbnails for track in shown)
        left = _LEFT + (_PANEL + 0.15 if has_thumbnails else 0.0)
        for row, track in enumerate(shown):
            bottom = _FOOTER + (len(shown) - 1 - row) * (_PANEL_TITLE + _PANEL)
            axes = _add_axes(figure, (left, bottom, _WIDTH - left - _RIGHT, _PANEL))
            style_axes(axes, self._bins.span_s, last=row == len(shown) - 1)
            if track is None:
                middle = {"ha": "center", "va": "center", "transform": axes.transAxes}
                axes.text(0.5, 0.5, "no face found", color=DIM_TEXT, **middle)
                continue
            draw_areas(axes, self._bins.curves(track), self.labels)
            title = f"seen for {duration(seen[track])}"
            axes.annotate(f"track {track}", (0, 1), (0, 5), weight="bold", color=TEXT, **_OFFSET)
            indent = 8 + 5.6 * len(f"track {track}")
            axes.annotate(title, (0, 1), (indent, 5), color=DIM_TEXT, **_OFFSET)
            if track in thumbnails:
                axes = _add_axes(figure, (_RIGHT / 2, bottom, _PANEL, _PANEL))
                axes.imshow(thumbnails[track])
                axes.set_axis_off()
        self._draw_header_and_footer(figure, len(tracks) - len(shown), left / _WIDTH)
        return figure

    def _longest_seen(self, count: int) -> list[int]:
        """The tracks seen for the longest time, the longest first."""
        seen = self._bins.seen_s
        return sorted(seen, key=lambda track: (-seen[track], track))[:count]

    def _draw_header_and_footer(self, figure: Any, hidden_faces: int, left: float) -> None:
        """Draw the source and the legend at the top, the explanation at the bottom."""
        height = figure.get_figheight()
        name = one_line(PurePath(self._source).name or self._source)
        figure.text(left, 1 - 0.26 / height, name, size=12, weight="bold", color=TEXT, va="center")
        place = (left * _WIDTH, height - 0.56)
        draw_legend(figure, place, self.labels, self.labels, width=_LEGEND_WIDTH)
        note = "Areas: probability of each emotion. Empty: the face is not visible."
        figure.text(left, 0.16 / height, note, color=DIM_TEXT, size=7.5, va="center")
        if hidden_faces > 0:
            faces = "face" if hidden_faces == 1 else "faces"
            more = f"and {hidden_faces} more {faces}, seen for less time"
            place = 1 - _RIGHT / _WIDTH, 0.16 / height
            figure.text(*place, more, color=TEXT, ha="right", va="center")


def check_plot_path(path: str | os.PathLike[str]) -> str:
    """Return the suffix of a path to which a plot can be written.

    Raises:
        InputError: Another suffix than ``.png``, ``.svg`` or ``.pdf``.
        MissingExtraError: Matplotlib is not installed.
    """
    suffix = check_suffix(path, METADATA)
    matplotlib_module()
    return suffix


def _add_axes(figure: Any, inches: tuple[float, float, float, float]) -> Any:
    """Add axes at (left, bottom, width, height) in inches."""
    return figure.add_axes(np.array(inches) / np.tile(figure.get_size_inches(), 2))
