"""MP4 and QuickTime files that are turned or mirrored when they are shown."""

import struct

MATRICES = {
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
}
"""How images are shown: turned clockwise by so many degrees, or left and right exchanged."""


def turned(content: bytes, how: int | str) -> bytes:
    """Return a file with one of `MATRICES` for its track: the last one, after that of the movie."""
    before, after = content.rsplit(_display_matrix(MATRICES[0]), 1)
    return before + _display_matrix(MATRICES[how]) + after


def _display_matrix(quarters: tuple[int, int, int, int]) -> bytes:
    """Return the display matrix of ISO/IEC 14496-12, 8.3.2."""
    a, b, c, d = (value << 16 for value in quarters)
    return struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
