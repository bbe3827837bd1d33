"""`plot_overview`: who expresses what when, in several videos on one time axis."""

from __future__ import annotations

import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePath
from typing import Any

from emopy.errors import InputError
from emopy.escaping import one_line
from emopy.files import atomic_file
from emopy.media.paths import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from emopy.present.plot_legend import draw_legend, label_style, legend_height, matplotlib_module
from emopy.present.stacked_areas import BACKGROUND, DIM_TEXT, TEXT, time_ticks
from emopy.present.text import clock, duration
from emopy.present.timeline_plot import METADATA, SETTINGS, check_plot_path
from emopy.video import Summary, TrackSummary

_MAX_TRACKS = 8
"""Strips of a video, if there is room for them."""

_MAX_HEIGHT = 40.0
"""Height of all videos in inches: the most that one page shows."""

# Inches.
_WIDTH = 9.0
_HEADER = 1.06
_LINE = 0.2
_STRIP = 0.15
_GAP = 0.16
_FOOTER = 0.66
_MARGIN = 0.24
_LEFT = 0.98
_RIGHT = 0.3

_MAX_NAME = 80
"""Letters of the name of a video."""

_LONGEST_IN_SECONDS = 60.0
"""Time axes that end later have minutes and seconds."""


@dataclass(frozen=True, slots=True)
class _Group:
    """What is drawn of one video."""

    name: str
    seconds: float
    span_s: tuple[float, float]
    tracks: tuple[TrackSummary, ...]  # at most `_MAX_TRACKS`, the longest seen first
    faces: int

    def lines(self, limit: int) -> int:
        """Number of lines with at most `limit` strips, and one that counts the others."""
        shown = min(self.faces, limit)
        return max(shown + (self.faces > shown), 1)

    def height(self, limit: int) -> float:
        """Height with a line for the name and at most `limit` strips, in inches."""
        return (1 + self.lines(limit)) * _LINE + _GAP


def plot_overview(summaries: Sequence[Summary], path: str | os.PathLike[str]) -> Path:
    """Write a plot of the episodes in several videos: a strip for each face, on one time axis.

    The strips of a video stand together, below its name and duration. Of many faces those seen
    longest are shown, eight of a video, or fewer if there are many videos; the others are counted.
    The page is at most about 42 inches high: more videos than that holds are counted as well.

    Args:
        summaries: Summaries of one or more videos, with the same labels.
        path: Ends in ``.png``, ``.svg`` or ``.pdf``. Missing folders are created.

    Returns:
        The path. The same summaries give the same bytes.

    Raises:
        InputError: No summary, another suffix, or a path that cannot be written.
        MissingExtraError: Matplotlib is not installed.
    """
    path, suffix = Path(path), check_plot_path(path)
    if not summaries:
        raise InputError("`summaries` must hold a video or more. Received none.")
    settings = matplotlib_module().rc_context({**SETTINGS, "hatch.linewidth": 0.7})
    with settings, warnings.catch_warnings(), atomic_file(path) as partial:
        warnings.filterwarnings("ignore", "Glyph")  # a script that the font does not have
        _draw(summaries).savefig(
            partial, format=suffix[1:], dpi=160, metadata=METADATA[suffix], facecolor="white"
        )
    return path


def _draw(summaries: Sequence[Summary]) -> Any:
    labels = summaries[0].labels
    groups, limit = _fitting(list(map(_group, summaries, _names(summaries))))
    episodes = [each for group in groups for track in group.tracks for each in track.episodes]
    has_not_sure = any(each.emotion is None for each in episodes)
    shown = [*labels, None] if has_not_sure else [*labels]
    inner = sum(group.height(limit) for group in groups)
    header = _HEADER + legend_height(shown, _WIDTH - 2 * _MARGIN)
    height = header + inner + _FOOTER
    figure = matplotlib_module("matplotlib.figure").Figure(figsize=(_WIDTH, height))
    size = ((_WIDTH - _LEFT - _RIGHT) / _WIDTH, inner / height)
    axes = figure.add_axes((_LEFT / _WIDTH, _FOOTER / height, *size))
    _style_axes(axes, groups, inner)
    top = _GAP / 2
    for group in groups:
        _draw_group(axes, group, top, limit, labels)
        top += group.height(limit)
    place = (_MARGIN / _WIDTH, 1 - 0.26 / height)
    figure.text(*place, "Emotions over time", size=12, weight="bold", color=TEXT, va="center")
    place = (_MARGIN, height - 0.56)
    draw_legend(figure, place, shown, labels, width=_WIDTH - 2 * _MARGIN)
    note = "A strip is a face. Color: predicted emotion. Empty: the face is not visible."
    figure.text(_MARGIN / _WIDTH, 0.16 / height, note, color=DIM_TEXT, size=7.5, va="center")
    if hidden := len(summaries) - len(groups):
        more = f"and {hidden:,} more {'video' if hidden == 1 else 'videos'}"
        place = (1 - _RIGHT / _WIDTH, 0.16 / height)
        figure.text(*place, more, color=TEXT, ha="right", va="center")
    return figure


def _group(summary: Summary, name: str) -> _Group:
    tracks = summary.tracks
    longest = sorted(tracks, key=lambda track: (-track.seen_s, track.track))[:_MAX_TRACKS]
    return _Group(name, summary.seconds, summary.span_s, tuple(longest), len(tracks))


def _fitting(groups: list[_Group]) -> tuple[list[_Group], int]:
    """Return the videos for which there is room, and how many strips each has at most."""
    for limit in range(_MAX_TRACKS, 0, -1):
        if sum(group.height(limit) for group in groups) <= _MAX_HEIGHT:
            return groups, limit
    fitting: list[_Group] = []
    height = 0.0
    for group in groups:
        height += group.height(1)
        if height > _MAX_HEIGHT:
            break
        fitting.append(group)
    return fitting, 1


def _style_axes(axes: Any, groups: Sequence[_Group], height: float) -> None:
    start = min(group.span_s[0] for group in groups)
    end = max(start + 1e-3, *(group.span_s[1] for group in groups))
    axes.set(xlim=(start, end), ylim=(height, 0), yticks=[])
    ticks, digits = time_ticks(start, end)
    in_seconds = end <= _LONGEST_IN_SECONDS
    names = [f"{t:g} s" if in_seconds else clock(max(t, 0.0), digits) for t in ticks]
    axes.set_xticks(ticks, names)
    axes.tick_params(colors=DIM_TEXT, length=3, width=0.6, top=True, labeltop=True)
    axes.grid(axis="x", color="#e2e2e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _draw_group(axes: Any, group: _Group, y: float, limit: int, labels: Sequence[str]) -> None:
    """Draw a video from `y` on, in inches: its name, and a strip for each face."""
    start, end = group.span_s
    patches = matplotlib_module("matplotlib.patches")
    _write_left(axes, y + _LINE / 2, f"{group.name}, {duration(group.seconds)}", weight="bold",
                color=TEXT, bbox={"facecolor": "white", "linewidth": 0.0, "pad": 1.0})  # fmt: skip
    y += _LINE
    length = group.lines(limit) * _LINE
    extent = patches.Rectangle((start, y), end - start, length, color=BACKGROUND, zorder=0)
    axes.add_patch(extent)
    tracks = sorted(group.tracks[:limit], key=lambda track: track.track)
    for track in tracks:
        _write_left(axes, y + _LINE / 2, f"track {track.track}", color=DIM_TEXT)
        spans: defaultdict[str | None, list[tuple[float, float]]] = defaultdict(list)
        for each in track.episodes:
            spans[each.emotion].append((each.start_s, each.seconds))
        for emotion, times in spans.items():
            place = (y + (_LINE - _STRIP) / 2, _STRIP)
            axes.broken_barh(times, place, zorder=2, **label_style(emotion, labels))
        y += _LINE
    hidden = group.faces - len(tracks)
    note = ""
    if hidden:
        note = f"and {hidden:,} more {'face' if hidden == 1 else 'faces'}, seen for less time"
    elif not tracks:
        note = "no face found"
    if note:
        place = {"textcoords": "offset points", "va": "center_baseline"}
        axes.annotate(note, (start, y + _LINE / 2), (4, 0), color=DIM_TEXT, size=7.5, **place)


def _write_left(axes: Any, y: float, text: str, **style: Any) -> None:
    """Write a text that begins at the left margin, `y` inches below the top of the axes."""
    left = 72 * (_MARGIN - _LEFT)
    axes.annotate(text, (0, y), (left, 0), xycoords=("axes fraction", "data"),
                  textcoords="offset points", va="center_baseline", annotation_clip=False,
                  **style)  # fmt: skip


def _names(summaries: Sequence[Summary]) -> list[str]:
    """Return short names: without the folder of all videos, and the suffix unless it is needed."""
    paths = [PurePath(summary.source) for summary in summaries]
    columns = zip(*(path.parts[:-1] for path in paths), strict=False)
    common = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, columns))
    names = [PurePath(*path.parts[common:]) for path in paths]
    counts = Counter(map(_without_suffix, names))
    short = [_without_suffix(name) for name in names]
    shown = [
        str(name if counts[each] > 1 else each) for name, each in zip(names, short, strict=True)
    ]
    return [_end_of(one_line(name)) for name in shown]


def _without_suffix(name: PurePath) -> PurePath:
    is_file = name.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES
    return name.with_suffix("") if is_file else name


def _end_of(name: str) -> str:
    """Return the end of a long name."""
    return name if len(name) <= _MAX_NAME else f"…{name[1 - _MAX_NAME :]}"
