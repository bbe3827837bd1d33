"""Open a video file and find its video stream, or say what the file is instead."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from emopy.errors import InputError, MissingExtraError
from emopy.media import addresses
from emopy.media.limits import DEFAULT_MAX_PIXELS
from emopy.media.paths import explain_os_errors, is_pipe

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_READABLE = "MP4, MOV, AVI, MKV, WebM, GIF or another that FFmpeg decodes"

_CHECK_FILE = "Check that it is the file you meant."

_FILE_OPTIONS = {"protocol_whitelist": "file"}
"""Option of FFmpeg for a file: none may open network addresses."""

_LISTS = {"concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "vobsub"}
"""Formats of FFmpeg that only name other files or addresses, which would be opened."""

_MOST_PADDING = 1_000_000
"""Pixels of a frame that FFmpeg may count beyond those that are shown."""

_IMAGE_BRANDS = {"heic", "heix", "mif1", "avif"}
"""Major brands of MP4-like files that hold an image."""

_SEQUENCE_BRANDS = {"avis", "hevc", "msf1"}
"""Major brands of animated AVIF and HEIC: a still image comes first, then the animation."""

# ISO/IEC 14496-12, 4.2: the boxes that a QuickTime or MP4 file may start with.
_MP4_BOXES = {b"ftyp", b"mdat", b"wide", b"free", b"skip", b"moov"}


def check_file(path: str) -> bool:
    """Check that a path is a file with content; return whether it can be reread (not a pipe).

    An address is not checked, and can be reread.

    Raises:
        InputError: No such file, not readable, empty, a folder, a device.
    """
    if addresses.is_address(path):
        return True
    with explain_os_errors(path):
        if is_pipe(path, path, wanted="a video", instead="Give the videos in it one by one."):
            return False
        with open(path, "rb") as file:  # noqa: PTH123  Path("") would be the current folder
            if not file.read(1):
                raise InputError(
                    f"`source` must hold a video. Received {path!r}: zero bytes. "
                    "Copy or download the file again."
                )
    return True


def size_limit(max_pixels: int) -> dict[str, str]:
    """Return the option of FFmpeg that bounds frames, for probing a file and for decoding.

    Larger frames than `max_pixels` are refused elsewhere, by a sentence that names the limit. This
    one stops the decoder before it allocates memory for frames that the file did not declare. It
    is higher up to 100 megapixels, because encoders fill frames up to whole blocks.
    """
    most = max(max_pixels, min(2 * max_pixels + _MOST_PADDING, DEFAULT_MAX_PIXELS))
    return {"max_pixels": str(most)}


def open_container(path: str, max_pixels: int) -> InputContainer:
    """Open a video file or an address; the caller closes it.

    Args:
        path: The file or address.
        max_pixels: Largest frame, width × height in pixels.

    Raises:
        InputError: Not a video that FFmpeg can open, a file without its index, or an address that
            does not answer.
        MissingExtraError: PyAV is not installed.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise MissingExtraError("Reading video files", "video") from error
    options, timeout_s = {**_FILE_OPTIONS, "format_whitelist": _file_formats()}, None
    is_address = addresses.is_address(path)
    if is_address:
        options, timeout_s = addresses.OPTIONS, addresses.TIMEOUT_S
    began_s = time.monotonic()
    open_any: Any = av.open  # its arguments differ between versions
    try:
        return open_any(
            # A name such as "12:30.mp4" is no protocol.
            path if is_address else os.path.abspath(path),  # noqa: PTH100
            timeout=timeout_s,
            **_version_settings({**options, **size_limit(max_pixels)}, av.__version__),
        )
    except FFmpegError as error:
        if is_address:
            waited_s = time.monotonic() - began_s
            raise addresses.explain_failure(path, error, waited_s=waited_s) from error
        raise InputError(
            f"`source` must be a video ({_READABLE}). {_describe_content(path)}"
        ) from error


@cache
def _file_formats() -> str:
    """FFmpeg's names of the formats that a file may have, with commas between them."""
    from av.format import formats_available

    return ",".join(sorted(formats_available - _LISTS))


def _version_settings(options: dict[str, str], version: str) -> dict[str, Any]:
    """Return the arguments of ``av.open`` that differ between versions of PyAV."""
    major = int(version.split(".", 1)[0])
    # Before 18, options for the streams crash in formats without a header, such as MPEG-PS.
    settings: dict[str, Any] = {"options" if major >= 18 else "container_options": options}
    if major < 19:  # 19 keeps metadata that are not UTF-8, by itself
        settings["metadata_errors"] = "replace"
    return settings


def video_stream(container: InputContainer, name: str, max_pixels: int) -> VideoStream:
    """Return the video stream of a container.

    Args:
        container: The opened file.
        name: The file, for error messages.
        max_pixels: Largest frame, width × height in pixels.

    Raises:
        InputError: It holds a single image, text or only sound, or an unknown codec.
    """
    from av.stream import Disposition

    kind = container.format.name
    brand = container.metadata.get("major_brand", "").strip()
    if kind.endswith("_pipe") or kind == "image2" or brand in _IMAGE_BRANDS:
        raise InputError(
            f"`source` must be a video. Received {name!r}: an image. "
            f"Type: `FERModel().predict({name!r})`"
        )
    if kind == "tty":  # FFmpeg takes any text for terminal art
        raise InputError(f"`source` must be a video. Received {name!r}: a text. {_CHECK_FILE}")
    streams = list(container.streams.video)
    if brand in _SEQUENCE_BRANDS:
        streams.sort(key=lambda stream: stream.frames, reverse=True)
    for stream in streams:
        if not stream.disposition & Disposition.attached_pic:  # cover art
            # Without a decoder there is no context, unlike in PyAV's annotations.
            if getattr(stream, "codec_context", None) is None:
                break
            stream.thread_type = "AUTO"
            stream.codec_context.options = size_limit(max_pixels)
            return stream
    else:
        raise InputError(
            f"`source` must have a video stream. Received {name!r}: a file without one, such as "
            f"sound alone. {_CHECK_FILE}"
        )
    raise InputError(
        f"`source` must have a known codec. Received {name!r}: no decoder for it. "
        "Convert it to MP4 with H.264."
    )


def _describe_content(path: str) -> str:
    """Kind of a file that FFmpeg cannot open, by its first bytes, and what to do."""
    start = b""
    with explain_os_errors(path):
        if os.path.isfile(path):  # noqa: PTH113
            with open(path, "rb") as file:  # noqa: PTH123
                start = file.read(8)
    if start[4:8] in _MP4_BOXES:
        return (
            f"Received {path!r}: an MP4 or MOV file that is damaged or has no index, as after an "
            "interrupted recording or copy. Copy or download it again; if there is no complete "
            "file, a repair program such as untrunc can rebuild the index."
        )
    return f"Received {path!r}: not a video. {_CHECK_FILE}"
