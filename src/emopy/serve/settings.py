"""`ServeSettings`: limits, keys and addresses of the service."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emopy.errors import InputError

SHORTEST_KEY = 16
"""Characters that an API key has at least."""

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", re.ASCII)
_KEY = re.compile(r"[!-~]+")
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How the service listens, and what it accepts.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        workers: Processes, 1 or more; each has its own model.
        queue: Requests of one process that wait for the model; more get status 429.
        streams: Videos and live sessions of one process at the same time; more get status 429.
        max_bytes: Largest body of a request, and largest frame of a live session, in bytes.
        timeout_s: Longest time for a request to arrive, for its answer to be ready, and for a
            client to take a piece of it, in seconds.
        drain_s: Time in seconds between the request to stop and the end of new connections, in
            which ``/readyz`` says no.
        key_digests: SHA-256 of each API key; none: no key is needed.
        origins: Origins of web pages, such as ``"https://example.org"``, that may send requests
            from a browser.
        names: Host names besides those of this machine that requests may have at an address that
            only this machine reaches, such as that of a proxy on it that passes ``Host`` on.

    Raises:
        InputError: A number out of range, an origin that is none, or a host name that is none.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    queue: int = 32
    streams: int = 4
    max_bytes: int = 20_000_000
    timeout_s: float = 30.0
    drain_s: float = 0.0
    key_digests: tuple[bytes, ...] = ()
    origins: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("workers", "queue", "streams", "max_bytes"):
            if getattr(self, name) < 1:
                raise InputError(f"`{name}` must be 1 or more. Received {getattr(self, name)}.")
        if not 0 < self.timeout_s < float("inf"):
            raise InputError(f"`timeout_s` must be a number above 0. Received {self.timeout_s}.")
        if not 0 <= self.drain_s < float("inf"):
            raise InputError(f"`drain_s` must be a number from 0. Received {self.drain_s}.")
        for origin in self.origins:
            scheme, separator, rest = origin.partition("://")
            if not (scheme in ("http", "https") and separator and rest) or "/" in rest:
                raise InputError(
                    f"`origins` must be origins of web pages. Received {origin!r}. "
                    "Type for example: https://example.org"
                )
        for name in self.names:
            if not _HOST_NAME.fullmatch(name):
                raise InputError(
                    f"`names` must be host names without port. Received {name!r}. "
                    "Type for example: emopy.example.org"
                )

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine reach the service."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is that of this machine alone."""
    if host.lower() in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Return the SHA-256 of each API key of a file: one key per line; ``#`` begins a comment line.

    Raises:
        InputError: No such file, no key in it, or a key of less than 16 characters, or with others
            than those of a header: printable ASCII.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InputError(f"`path` must be a file of keys. Received {path}: {reason}.") from error
    keys = [key for line in lines if (key := line.strip()) and not key.startswith("#")]
    if not keys:
        raise InputError(
            f"`path` must hold a key on each line. Received {path}, which has none. "
            f"To make one, type: openssl rand -hex 24 > {path}"
        )
    if short := [key for key in keys if len(key) < SHORTEST_KEY]:
        raise InputError(
            f"`path` must hold keys of {SHORTEST_KEY} characters or more. "
            f"Received one of {len(short[0])}. To make one, type: openssl rand -hex 24"
        )
    if not all(_KEY.fullmatch(key) for key in keys):
        raise InputError(
            "`path` must hold keys of printable ASCII characters without spaces. "
            "Received another one. To make one, type: openssl rand -hex 24"
        )
    return digests(keys)


def digests(keys: Iterable[str]) -> tuple[bytes, ...]:
    """Return the SHA-256 of each key, so that the keys themselves are not kept."""
    return tuple(hashlib.sha256(key.encode()).digest() for key in keys)
