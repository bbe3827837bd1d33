"""`TimelinePlot`: what the faces of a video show over time, as one image.

    plot = TimelinePlot(model.labels)
    for result in model.predict_video("clip.mp4"):
        plot.add(result)
    plot.save("timeline.png")

A panel per face: coloured areas, one per emotion, together 100 %. The image holds about a
thousand moments, and so does the memory, however long the video.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from emopy.errors import InputError
from emopy.files import atomic_file
from emopy.present.areas import FAINT, INK, draw_areas, style_axes, swatch
from emopy.present.extras import extra_module
from emopy.present.face_thumbnails import FaceThumbnails
from emopy.present.text import duration, one_line
from emopy.types import ImageResult, RGBImage, check_labels
from emopy.video import TimeBins

_SUFFIXES = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Kinds of image, and what would make two equal ones differ."""

_SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib: the same image everywhere
    "font.size": 8.5,
    "text.parse_math": False,
    "svg.hashsalt": "emopy",  # the same names of parts in every file
}

# Inches.
_WIDTH = 9.0
_HEAD = 0.72
_LINE = 0.22
_TITLE = 0.38
_PANEL = 1.05
_FOOT = 0.58
_LEFT = 0.62
_RIGHT = 0.24

_SPARE = 8
"""Images of faces kept for each panel there can be: nobody knows yet who stays longest."""

_OFFSET = {"xycoords": "axes fraction", "textcoords": "offset points"}


class TimelinePlot:
    """Collects what faces show, and draws it as stacked areas over time.

    Args:
        labels: Labels of every prediction that will come, in order.
        most: Faces that get a panel, the longest seen ones; the others are counted.
    """

    def __init__(self, labels: Sequence[str], *, most: int = 6) -> None:
        if most < 1:
            raise InputError(
                f"`most` must be one or more faces. Received {most}. Type for example 6."
            )
        self.labels = tuple(labels)
        self._most = most
        self._bins = TimeBins()
        self._portraits = FaceThumbnails()
        self._source = ""

    def add(self, result: ImageResult, image: RGBImage | None = None) -> None:
        """Take the faces of the next frame.

        Args:
            result: What was found in it.
            image: (H, W, 3) uint8 RGB: the frame. With it the faces stand beside their panels.

        Raises:
            InputError: An image without a time, an earlier time than before, a face without a
                track, or other labels.
        """
        check_labels(result, self.labels)
        self._bins.add(result)
        self._source = self._source or result.source
        if image is not None:
            self._portraits.add(image, result)
            if len(self._portraits.images) > _SPARE * self._most:
                self._portraits.keep(self._longest(_SPARE * self._most // 2))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Draw the image into a file; more results may follow.

        The same results give the same bytes.

        Args:
            path: Ends in ``.png``, ``.svg`` or ``.pdf``. Folders that lack are made.

        Returns:
            The path.

        Raises:
            InputError: Another suffix, or a place that cannot be written.
            MissingExtraError: Matplotlib is not installed.
        """
        path, suffix = Path(path), check_plot_path(path)
        matplotlib = extra_module("matplotlib", feature="Plotting timelines", extra="video")
        with (
            matplotlib.rc_context(_SETTINGS),
            warnings.catch_warnings(),
            atomic_file(path) as partial,
        ):
            warnings.filterwarnings("ignore", "Glyph")  # a script that the font lacks: boxes
            figure = self._draw()
            figure.savefig(
                partial, format=suffix[1:], dpi=160, metadata=_SUFFIXES[suffix], facecolor="white"
            )
        return path

    def _draw(self) -> Any:
        thumbnails = self._portraits.images
        seen = self._bins.seen_s
        tracks = self._longest(len(seen))
        shown: list[int | None] = [*tracks[: self._most]] or [None]
        legend = self._legend()
        head = _HEAD + _LINE * legend[-1][2]
        height = head + len(shown) * (_TITLE + _PANEL) + _FOOT
        figures = extra_module("matplotlib.figure", feature="Plotting timelines", extra="video")
        figure = figures.Figure(figsize=(_WIDTH, height))
        images = any(track in thumbnails for track in shown)
        left = _LEFT + (_PANEL + 0.15 if images else 0.0)
        for row, track in enumerate(shown):
            bottom = _FOOT + (len(shown) - 1 - row) * (_TITLE + _PANEL)
            axes = _axes(figure, (left, bottom, _WIDTH - left - _RIGHT, _PANEL))
            style_axes(axes, self._bins.span_s, last=row == len(shown) - 1)
            if track is None:
                middle = {"ha": "center", "va": "center", "transform": axes.transAxes}
                axes.text(0.5, 0.5, "no face found", color=FAINT, **middle)
                continue
            draw_areas(axes, self._bins.curves(track), self.labels)
            title = f"seen for {duration(seen[track])}"
            axes.annotate(f"face {track}", (0, 1), (0, 5), weight="bold", color=INK, **_OFFSET)
            indent = 8 + 5.6 * len(f"face {track}")
            axes.annotate(title, (0, 1), (indent, 5), color=FAINT, **_OFFSET)
            if track in thumbnails:
                corner = _axes(figure, (_RIGHT / 2, bottom, _PANEL, _PANEL))
                corner.imshow(thumbnails[track])
                corner.set_axis_off()
        self._write(figure, len(tracks) - len(shown), left / _WIDTH)
        return figure

    def _longest(self, count: int) -> list[int]:
        """The tracks seen for the longest time, that one first."""
        seen = self._bins.seen_s
        return sorted(seen, key=lambda track: (-seen[track], track))[:count]

    def _write(self, figure: Any, more: int, left: float) -> None:
        """The head with the colours of the emotions, and the foot that explains."""
        patches = extra_module("matplotlib.patches", feature="Plotting timelines", extra="video")
        height = figure.get_figheight()
        name = one_line(PurePath(self._source).name or self._source)
        figure.text(left, 1 - 0.26 / height, name, size=12, weight="bold", color=INK, va="center")
        for label, x, row in self._legend():
            place = (left + x / _WIDTH, 1 - (0.56 + _LINE * row) / height)
            size = (0.12 / _WIDTH, 0.12 / height)
            square = (place[0], place[1] - size[1] / 2)
            figure.add_artist(patches.Rectangle(square, *size, color=swatch(label, self.labels)))
            words = (place[0] + 1.5 * size[0], place[1])
            figure.text(*words, one_line(label), color=INK, va="center_baseline")
        note = "Areas: how probable each emotion is. Empty: the face is not seen."
        figure.text(left, 0.16 / height, note, color=FAINT, size=7.5, va="center")
        if more > 0:
            rest = f"and {more} more {'face' if more == 1 else 'faces'}, seen for less time"
            figure.text(
                1 - _RIGHT / _WIDTH, 0.16 / height, rest, color=INK, ha="right", va="center"
            )

    def _legend(self) -> list[tuple[str, float, int]]:
        """Each label, inches from the left, and its line."""
        placed: list[tuple[str, float, int]] = []
        x, row = 0.0, 0
        for label in self.labels:
            wide = 0.4 + 0.075 * len(one_line(label))
            if x and x + wide > _WIDTH - _LEFT - _PANEL - _RIGHT:
                x, row = 0.0, row + 1
            placed.append((label, x, row))
            x += wide
        return placed


def check_plot_path(path: str | os.PathLike[str]) -> str:
    """Say early that a plot cannot be written there.

    Returns:
        The suffix, in lower case.

    Raises:
        InputError: Another suffix than ``.png``, ``.svg`` or ``.pdf``.
        MissingExtraError: Matplotlib is not installed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError(
            f"`path` must end in {', '.join(_SUFFIXES)}. Received {str(path)!r}. "
            f"Type for example: {path.stem or 'timeline'}.png"
        )
    extra_module("matplotlib", feature="Plotting timelines", extra="video")
    return suffix


def _axes(figure: Any, inches: tuple[float, float, float, float]) -> Any:
    """Axes at a place given as left, bottom, width, height in inches."""
    width, height = figure.get_size_inches()
    left, bottom, wide, high = inches
    return figure.add_axes((left / width, bottom / height, wide / width, high / height))
