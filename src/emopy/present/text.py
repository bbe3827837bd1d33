"""`as_text` and `summary_text`: results as readable text with bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emopy.escaping import one_line
from emopy.types import Box, FailedInput, ImageResult
from emopy.video import Episode, Summary

NOT_SURE = "not sure"
"""Text in place of an emotion where the confidence is below `min_confidence`."""

DEFAULT_WIDTH = 72
"""Width of text in columns."""

_MAX_BAR = 40
_MAX_TRACKS = 8
_MAX_EPISODES = 12
_BLOCKS = " ▏▎▍▌▋▊▉█"
_MARK = "▶"
_PLAIN = str.maketrans("▏▎▍▌▋▊▉█▶·×–…", "   #####>-x-.")


def as_text(result: ImageResult | FailedInput, *, width: int = DEFAULT_WIDTH) -> str:
    """Return a result as lines of text, without color and without a final line end.

    Args:
        result: Faces of an image or video frame, or a failed input.
        width: Width in columns; bars get shorter, and are left out where there is no room.

    Returns:
        A header with the source and the number of faces. Per face its number (in a video its
        track id), its box, and one line per emotion with the predicted one marked; "not sure"
        after the box where none is predicted. An image without a face and a failed input give one
        line.

    Example:
        >>> print(as_text(ImageResult("wall.jpg", (640, 480))))
        wall.jpg · 640 × 480 · no face found
    """
    source = one_line(result.source)
    if isinstance(result, FailedInput):
        return f"{source} · failed: {one_line(str(result.error)) or type(result.error).__name__}"
    time = "" if result.time_s is None else f" · {result.time_s:.2f} s"
    size = f"{result.size[0]} × {result.size[1]}"
    lines = [f"{source}{time} · {size} · {face_count(len(result.faces))}"]
    for index, face in enumerate(result.faces, start=1):
        name = f"face {index}" if face.track is None else f"track {face.track}"
        not_sure = f" · {NOT_SURE}" if face.emotion is None else ""
        lines += ["", f"  {name} · {_box(face.box)}{not_sure}"]
        lines += bars(face.probabilities, face.emotion, width)
    return "\n".join(lines)


def summary_text(summary: Summary, *, width: int = DEFAULT_WIDTH) -> str:
    """Return the summary of a video as lines of text, without a final line end.

    Args:
        summary: Summary of the frames.
        width: Width in columns.

    Returns:
        A header; per face, longest visible first, the proportion of time for which each emotion
        was the predicted one, and its episodes. At most 8 faces with 12 episodes each; the rest
        is counted, and so are the faces that the summary leaves out.
    """
    tracks = sorted(summary.tracks, key=lambda track: -track.seen_s)
    frames = "1 frame" if summary.frames == 1 else f"{summary.frames:,} frames"
    faces = face_count(len(tracks))
    lines = [f"{one_line(summary.source)} · {duration(summary.seconds)} · {frames} · {faces}"]
    for track in tracks[:_MAX_TRACKS]:
        span = f"{clock(track.first_s)}–{clock(track.last_s)}"
        lines += ["", f"  track {track.track} · seen for {duration(track.seen_s)} in {span}"]
        not_sure = {NOT_SURE: track.not_sure} if track.not_sure else {}
        lines += bars({**track.proportions, **not_sure}, track.emotion or NOT_SURE, width)
        lines += _episode_lines(track.episodes, width)
    if len(tracks) > _MAX_TRACKS:
        lines += ["", f"  and {len(tracks) - _MAX_TRACKS} more, seen for less time"]
    if summary.left_out:
        left_out, least = face_count(summary.left_out), duration(summary.min_duration_s)
        lines += ["", f"  left out: {left_out}, seen for less than {least}"]
    return "\n".join(lines)


def face_count(count: int) -> str:
    """Return a number of faces in words."""
    return "no face found" if count == 0 else "1 face" if count == 1 else f"{count} faces"


def _episode_lines(episodes: Sequence[Episode], width: int) -> list[str]:
    parts = [
        f"{clock(each.start_s, 1)}–{clock(each.end_s, 1)} {one_line(each.emotion or NOT_SURE)}"
        for each in episodes[:_MAX_EPISODES]
    ]
    if len(episodes) > _MAX_EPISODES:
        parts.append(f"and {len(episodes) - _MAX_EPISODES} more")
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 3 <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(f"    {part}")
    return lines


def encodable(text: str, encoding: str | None) -> str:
    """Return text that an encoding can hold, with plain bars where it has no block characters.

    Args:
        text: Text of `as_text` or `summary_text`.
        encoding: Encoding of the stream, such as ``sys.stdout.encoding``; None is UTF-8.

    Returns:
        The same text if it can be encoded; else with ``#`` bars and a ``>`` mark, and ``?`` for
        any other character that the encoding does not have.

    Example:
        >>> encodable("▶ happiness ███", "ascii")
        '> happiness ###'
    """
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _box(box: Box) -> str:
    width, height, left, top = map(round, (box.width, box.height, box.left, box.top))
    return f"{width} × {height} px at left {left}, top {top}"


def bars(values: Mapping[str, float], marked: str | None, width: int) -> list[str]:
    """Return one line per name: a mark before one name, the value 0–1 in percent, and a bar.

    Bars get shorter where the width in columns is small, and are left out without room.
    """
    names = [one_line(label) for label in values]
    name_width = max(map(len, names))
    # Two columns of indent, the mark, the name, the percentage, and the gaps between them.
    bar_width = min(_MAX_BAR, width - name_width - 15)
    lines: list[str] = []
    for name, (label, value) in zip(names, values.items(), strict=True):
        mark = _MARK if label == marked else " "
        bar = _bar(value, bar_width) if bar_width >= 4 else ""
        lines.append(f"  {mark} {name:<{name_width}}  {value * 100:5.1f} %  {bar}".rstrip())
    return lines


def clock(time_s: float, digits: int = 0) -> str:
    """Return a time as minutes and seconds, with hours where there are any.

    Args:
        time_s: Seconds, zero or more.
        digits: Decimals of the seconds.

    Example:
        >>> clock(83.25, 1), clock(3725)
        ('1:23.2', '1:02:05')
    """
    ticks = round(time_s * 10**digits)
    whole, rest = divmod(ticks, 10**digits)
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{start}:{seconds:02}" + (f".{rest:0{digits}}" if digits else "")


def duration(seconds: float) -> str:
    """Return a duration with its unit.

    Example:
        >>> duration(12.34), duration(754)
        ('12.3 s', '12:34 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return f"{clock(seconds)} {'min' if seconds < 3599.5 else 'h'}"


def _bar(value: float, width: int) -> str:
    """A bar of `value` × `width` columns, to an eighth of a column; empty for NaN."""
    eighths = round(min(max(value, 0.0), 1.0) * width * 8) if value == value else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + _BLOCKS[part].strip()
