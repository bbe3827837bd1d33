"""Network addresses as sources of videos: HTTP, RTSP and others that FFmpeg opens."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from emopy.errors import InputError

TIMEOUT_S = 15.0
"""Seconds after which an address that does not answer is given up."""

_FILES = {"http", "https"}
_STREAMS = {"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "udp", "tcp"}

OPTIONS = {
    # No local file, also where a playlist or a redirection at the address names one.
    "protocol_whitelist": "http,https,httpproxy,tcp,tls,crypto,udp,rtp,srtp,rtmp,rtmps,srt",
    "rtsp_flags": "prefer_tcp",  # UDP loses packets, which damages frames
}
"""Options of FFmpeg for an address."""

_SECRET = re.compile(
    r"((?:^|[&;])[^=&;]*(?:pass|pwd|secret|token|key|auth|sig|cred|user|usr|login)[^=&;]*=)[^&;#]*",
    re.IGNORECASE,
)
"""A value in a query that may be secret, by its name."""


def is_address(source: str) -> bool:
    """Return whether a source is an address and not a path."""
    return _scheme(source) in _FILES | _STREAMS


def is_stream(source: str) -> bool:
    """Return whether an address gives images as they are recorded, such as that of a camera."""
    return _scheme(source) in _STREAMS


def without_password(source: str) -> str:
    """Return the name of a source in results and errors: an address without what may be secret.

    User and password are left out, also where a slash in the password ends the address too early;
    so are values of the query whose names say that they may be secret, as cameras take them.
    """
    if not is_address(source):
        return source
    scheme, rest = source.split("://", 1)
    host, slash, path = rest.partition("/")
    after_colon = "" if host.startswith("[") else host.partition(":")[2]
    if "@" in host:
        rest = f"{host.rpartition('@')[2]}{slash}{path}"
    elif "@" in path and after_colon and not after_colon.isdecimal():  # it is no port
        rest = path.rpartition("@")[2]
    place, mark, query = rest.partition("?")
    shown = _SECRET.sub(r"\1…", query)
    return f"{scheme}://{place}{mark}{shown}"


def explain_failure(address: str, error: Exception, *, waited_s: float) -> InputError:
    """Return the error for an address that FFmpeg could not open in some time."""
    name = without_password(address)
    kind = type(error).__name__
    known = {
        "TimeoutError": f"no answer within {TIMEOUT_S:g} seconds",
        "ConnectionRefusedError": "the connection was refused",
        "ProtocolNotFoundError": f"PyAV cannot open {_scheme(address)} addresses here",
        "HTTPUnauthorizedError": "user name or password are missing or wrong (HTTP 401)",
        "HTTPForbiddenError": "access is denied (HTTP 403)",
        "HTTPNotFoundError": "there is nothing at this address (HTTP 404)",
        "HTTPServerError": "the server fails (HTTP 5xx)",
    }
    # The reason that FFmpeg gives for what it did not finish in time is not always that.
    kind = "TimeoutError" if waited_s >= TIMEOUT_S else kind
    if kind in {"InvalidDataError", "DemuxerNotFoundError"}:
        return InputError(
            f"`source` must be the address of a video or camera. Received {name!r}: not a video. "
            "Give the address of the video itself, not of a page that shows it."
        )
    reason = known.get(kind) or getattr(error, "strerror", None) or kind
    return InputError(
        f"`source` must be an address that can be opened. Received {name!r}: {reason}. "
        "Check the address and the network, or download the video and give its path."
    )


def _scheme(source: str) -> str:
    try:
        return urlsplit(source).scheme.lower() if "://" in source else ""
    except ValueError:
        return ""
