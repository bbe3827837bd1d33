"""`is_cut_off`: whether a video file is shorter than its container says."""

from __future__ import annotations

import os
from typing import IO

FORMATS_WITH_DURATION = {"mp4", "matroska", "avi", "flv", "asf"}
"""FFmpeg's names of formats whose header declares the duration; it estimates that of others."""

_MP4_BOXES = {
    *(b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"free", b"skip", b"wide"),
    *(b"uuid", b"udta", b"meta"),
}
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")

_SLACK = 16
"""Bytes that the size of an AVI file may be wrong: some writers count the header as well."""


def is_cut_off(path: str) -> bool:
    """Return whether a file is shorter than its container says.

    Always False for formats that do not say how long they are, such as MPEG-TS and GIF, and for
    other things than regular files.
    """
    if not os.path.isfile(path):  # noqa: PTH113
        return False
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            size, start = os.fstat(file.fileno()).st_size, file.read(16)
            kinds = {
                _riff_end: start[:4] == b"RIFF" and start[8:11] == b"AVI",
                _segment_end: int.from_bytes(start[:4], "big") == _EBML,
                _boxes_end: start[4:8] in _MP4_BOXES,
                _tags_end: start[:3] == b"FLV",
                _asf_end: start == _ASF_HEADER,
            }
            ends = (find_end(file, size) for find_end, is_kind in kinds.items() if is_kind)
            return next(ends, 0) > size
    except (OSError, LookupError):
        return False


def _boxes_end(file: IO[bytes], size: int) -> int:
    """Return where the last box of an MP4 file ends (ISO/IEC 14496-12, 4.2)."""
    place = 0
    while place < size:
        file.seek(place)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if header[4:8] not in _MP4_BOXES:
            return place  # other boxes hold no images
        if length < 8:  # 0: to the end of the file
            return size
        place += length
    return place


def _riff_end(file: IO[bytes], size: int) -> int:
    """Return where the last RIFF chunk of an AVI file ends, at least (OpenDML allows several)."""
    place = 0
    while place < size:
        file.seek(place)
        header = file.read(8)
        if header[:4] != b"RIFF":
            break
        length = int.from_bytes(header[4:8], "little")
        place += 8 + length + length % 2
    return place - _SLACK


def _segment_end(file: IO[bytes], _size: int) -> int:
    """Return where the segment of a Matroska file ends; 0 if it does not say (RFC 8794)."""
    file.seek(4)
    header = _read_size(file)
    file.seek(header, os.SEEK_CUR)
    if int.from_bytes(file.read(4), "big") != _SEGMENT:
        return 0
    length = _read_size(file)
    return 0 if length < 0 else file.tell() + length


def _read_size(file: IO[bytes]) -> int:
    """Read a variable-size integer of EBML; -1 for an unknown size."""
    first = file.read(1)[0]
    more = 8 - first.bit_length()
    value = int.from_bytes(bytes([first & (0xFF >> (more + 1))]) + file.read(more), "big")
    return -1 if value == (1 << 7 * (more + 1)) - 1 else value


def _tags_end(file: IO[bytes], size: int) -> int:
    """Return the size of an FLV file that ends with a whole tag, else more: its length follows."""
    file.seek(max(0, size - 4))
    length = int.from_bytes(file.read(4), "big")
    if not 11 <= length <= size - 4:
        return size + 1
    file.seek(size - 4 - length)
    return size + (int.from_bytes(file.read(4)[1:], "big") != length - 11)


def _asf_end(file: IO[bytes], _size: int) -> int:
    """Return the size that an ASF file declares in its File Properties Object; 0 if none."""
    file.seek(0)
    header = file.read(8192)
    place = header.find(_ASF_FILE_PROPERTIES)
    return int.from_bytes(header[place + 40 : place + 48], "little") if place >= 0 else 0
