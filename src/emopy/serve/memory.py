"""Free memory goes back to the system, where the C library is glibc.

Requests of many threads leave free blocks between those that are in use. glibc keeps them for the
next ones, so that without this the process holds on to most of what its busiest moment took.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from typing import Any

_M_ARENA_MAX, _ARENAS = -8, 2
"""glibc's number of the option, and how many arenas threads allocate from. Source: mallopt(3)."""

_PERIOD_S = 5.0
"""Time between two trims, seconds. One takes some milliseconds, and none where nothing is free."""


def limit_arenas() -> None:
    """Let all threads of this process allocate from few arenas.

    With one for each of the threads that come and go, memory that is free in one is not used by
    others, and the process grows by some tens of megabytes.
    """
    if limit := _find("mallopt"):
        limit(_M_ARENA_MAX, _ARENAS)


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
