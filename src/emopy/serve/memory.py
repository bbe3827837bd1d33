"""Free memory goes back to the system, where the C library is glibc.

Requests of many threads leave free blocks between those that are in use. glibc keeps them for the
next ones, so that without this the process holds on to most of what its busiest moment took.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""glibc's numbers of the options. Source: mallopt(3)."""

_ARENAS = 2
"""How many arenas threads allocate from."""

_LARGE_BYTES, _KEPT_BYTES = 8 << 20, 32 << 20
"""Blocks up to the first size come from an arena, which keeps free memory up to the second size for
the next request. Otherwise the system may have to clear the pages of each usual image anew; with
larger sizes, the process grows by some tens of megabytes."""

_PERIOD_S = 1.0
"""Time between two trims, seconds. One takes some milliseconds, and none where nothing is free."""


def configure_malloc() -> None:
    """Let all threads of this process allocate from few arenas, and keep memory between requests.

    With one arena for each of the threads that come and go, memory that is free in one is not used
    by others, and the process grows by some tens of megabytes.
    """
    if configure := _find("mallopt"):
        configure(_M_ARENA_MAX, _ARENAS)
        configure(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        configure(_M_TRIM_THRESHOLD, _KEPT_BYTES)


async def trim_regularly() -> None:
    """Return free memory to the system every few seconds, until it is canceled.

    Source: malloc_trim(3).
    """
    if trim := _find("malloc_trim"):
        while True:
            await asyncio.sleep(_PERIOD_S)
            await asyncio.to_thread(trim, 0)


def _find(name: str) -> Any:
    """A function of glibc; None for another C library."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
