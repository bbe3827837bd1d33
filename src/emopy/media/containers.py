"""Open a video file and find its images, or say what it is instead."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from emopy.errors import InputError, MissingExtraError
from emopy.media.images import DEFAULT_MAX_PIXELS
from emopy.media.paths import is_pipe, reading

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_READABLE = "MP4, MOV, AVI, MKV, WebM, GIF or another that FFmpeg decodes"

_NO_VIDEO = "Check that it is the file you meant."

_BOUNDED = {"max_pixels": str(DEFAULT_MAX_PIXELS)}
"""For FFmpeg, while it looks at a file and while it decodes."""

_IMAGE_BRANDS = {"heic", "heix", "mif1", "avif"}
# ISO/IEC 14496-12, 4.2: the boxes that a QuickTime or MP4 file may begin with.
_MP4_BOXES = {b"ftyp", b"mdat", b"wide", b"free", b"skip", b"moov"}


def check_file(path: str) -> bool:
    """Make sure that something is there to open.

    Returns:
        Whether it can be gone through several times; a pipe cannot.

    Raises:
        InputError: Nothing there, not readable, empty, a folder, a device.
    """
    with reading(path):
        if is_pipe(path, path, wanted="a video", instead="Give the videos in it one by one."):
            return False
        with open(path, "rb") as file:  # noqa: PTH123  Path("") would be the current folder
            if not file.read(1):
                raise InputError(
                    f"`source` must hold a video. Received {path!r}: zero bytes. "
                    "Copy or download the file again."
                )
    return True


def open_container(path: str) -> InputContainer:
    """Open a video file; the caller closes it.

    Raises:
        InputError: It is no file that the decoder knows, or one without its index.
        MissingExtraError: PyAV is not installed.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise MissingExtraError("Reading video files", "video") from error
    try:
        return av.open(
            os.path.abspath(path),  # noqa: PTH100  a name such as "12:30.mp4" is no protocol
            # A playlist must not reach out to the network. Larger frames are refused elsewhere,
            # but a file may declare small ones: its decoder is told before it asks for memory.
            options={"protocol_whitelist": "file", **_BOUNDED},
            metadata_errors="replace",
        )
    except FFmpegError as error:
        raise InputError(f"`source` must be a video ({_READABLE}). {_seems(path)}") from error


def video_stream(container: InputContainer, path: str) -> VideoStream:
    """Find the moving images in a container.

    Raises:
        InputError: It holds a single image, text or only sound, or an unknown encoding.
    """
    from av.stream import Disposition

    kind = container.format.name
    if kind.endswith("_pipe") or kind == "image2" or _brand(container) in _IMAGE_BRANDS:
        raise InputError(
            f"`source` must be a video. Received {path!r}: an image. "
            "Read it as one: model.predict(path), or emopy predict on the command line."
        )
    if kind == "tty":  # any text is taken for terminal art
        raise InputError(f"`source` must be a video. Received {path!r}: a text. {_NO_VIDEO}")
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:  # the cover of a record
            # Without a decoder there is no context, against what the annotation says.
            if getattr(stream, "codec_context", None) is None:
                break
            stream.thread_type = "AUTO"
            stream.codec_context.options = _BOUNDED
            return stream
    else:
        raise InputError(
            f"`source` must hold moving images. Received {path!r}: a file without any, such as "
            f"one with sound alone. {_NO_VIDEO}"
        )
    raise InputError(
        f"`source` must be encoded in a known way. Received {path!r}: no decoder for it. "
        "Convert it to MP4 with H.264."
    )


def _brand(container: InputContainer) -> str:
    return container.metadata.get("major_brand", "").strip()


def _seems(path: str) -> str:
    """What a file that could not be opened may be, and what to do."""
    with reading(path):
        start = b"" if not os.path.isfile(path) else _start(path)  # noqa: PTH113
    if start[4:8] in _MP4_BOXES:
        return (
            f"Received {path!r}: an MP4 or MOV file that is damaged or has lost its index, as "
            "when a recording or a copy is cut off. Copy or download it again; if there is no "
            "whole one, a repair program such as untrunc can rebuild the index."
        )
    return f"Received {path!r}: not a video. {_NO_VIDEO}"


def _start(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read(8)
