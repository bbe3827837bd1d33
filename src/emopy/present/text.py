"""`as_text`: a result for people: one line per emotion, a bar each, the dominant one marked."""

from __future__ import annotations

from collections.abc import Mapping

from emopy.present.record import writable
from emopy.types import Box, FailedInput, ImageResult

DEFAULT_WIDTH = 72
"""Columns of a terminal that text fits into."""

_LONGEST_BAR = 40
_BLOCKS = " ▏▎▍▌▋▊▉█"
_MARK = "▶"
_PLAIN = str.maketrans("▏▎▍▌▋▊▉█▶·×–…", "   #####>-x-.")


def as_text(result: ImageResult | FailedInput, *, width: int = DEFAULT_WIDTH) -> str:
    """Describe a result in lines of text, without colour and without an end of line.

    Args:
        result: One image's faces, or the reason why it could not be read.
        width: Columns to fit into; bars shrink, and go where there is no room for them.

    Returns:
        A header with the source and the number of faces; per face its number (that of its track
        in a video), its box, and one line per emotion, the dominant one marked, or "not sure"
        behind the box and none marked. An image without a face and a failed input give one line.

    Example:
        >>> print(as_text(ImageResult("wall.jpg", (640, 480))))
        wall.jpg · 640 × 480 · no face found
    """
    source = one_line(result.source)
    if isinstance(result, FailedInput):
        return f"{source} · failed: {one_line(str(result.error)) or type(result.error).__name__}"
    count = len(result.faces)
    found = "no face found" if count == 0 else "1 face" if count == 1 else f"{count} faces"
    moment = "" if result.time_s is None else f" · {result.time_s:.2f} s"
    lines = [f"{source}{moment} · {result.size[0]} × {result.size[1]} · {found}"]
    for place, face in enumerate(result.faces, start=1):
        number = place if face.face.track is None else face.face.track
        lines.append("")
        doubt = " · not sure" if face.emotion is None else ""
        lines.append(f"  face {number} · {_box(face.box)}{doubt}")
        lines += bars(face.probabilities, face.emotion, width)
    return "\n".join(lines)


def encodable(text: str, encoding: str | None) -> str:
    """Make text fit an encoding: plain bars where it has no block characters.

    Args:
        text: What `as_text` gave.
        encoding: Of the stream to write to, such as ``sys.stdout.encoding``; None is UTF-8.

    Returns:
        The same text if it can be encoded; else with ``#`` bars and a ``>`` mark, and ``?`` for
        any other character that the encoding lacks.

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


def bars(shares: Mapping[str, float], marked: str | None, width: int) -> list[str]:
    """One line per name: the mark, the name, the share in percent, and a bar.

    Args:
        shares: Numbers 0–1 by name.
        marked: The name to mark, or None.
        width: Columns to fit into; bars shrink, and go where there is no room for them.
    """
    names = [one_line(label) for label in shares]
    longest = max(map(len, names))
    # Two columns of indent, the mark, the name, the percentage, and the gaps between them.
    room = min(_LONGEST_BAR, width - longest - 15)
    lines: list[str] = []
    for name, (label, share) in zip(names, shares.items(), strict=True):
        mark = _MARK if label == marked else " "
        blocks = _bar(share, room) if room >= 4 else ""
        lines.append(f"  {mark} {name:<{longest}}  {share * 100:5.1f} %  {blocks}".rstrip())
    return lines


def clock(time_s: float, digits: int = 0) -> str:
    """A time of a video as people write it: minutes and seconds, hours where there are any.

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
    """A length of time as people write it.

    Example:
        >>> duration(12.34), duration(754)
        ('12.3 s', '12:34 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return f"{clock(seconds)} {'min' if seconds < 3599.5 else 'h'}"


def _bar(share: float, length: int) -> str:
    """A bar as long as the share of `length` columns, to an eighth of a column."""
    eighths = round(min(max(share, 0.0), 1.0) * length * 8) if share == share else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + _BLOCKS[part].strip()


def one_line(text: str) -> str:
    """Text without line ends and control characters: a file name may hold any."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in writable(text)
    )
