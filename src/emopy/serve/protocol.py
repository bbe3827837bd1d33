"""`TimedProtocol`: connections that send nothing, or take nothing, are closed."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10
"""Longest time until the first line and the headers of a request are complete, seconds."""

_CLOSING_S = 10
"""Longest time until a client has taken the rest of what was sent to it, seconds."""

_TICK_S = 1.0


class TimedProtocol(H11Protocol):
    """Uvicorn's protocol, which alone would wait without end for the head of a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch a connection."""
        super().connection_made(transport)
        self._waiting = 0
        self._closing = 0
        self.loop.call_later(_TICK_S, self._watch)

    def _watch(self) -> None:
        """Close a connection that has waited too long for a head; drop one that does not close."""
        if self not in self.connections or self.transport.get_protocol() is not self:
            return  # closed, or a WebSocket now
        if self.transport.is_closing():
            self._closing += 1
            if self._closing > _CLOSING_S:
                self.transport.abort()
        elif self.conn.their_state is h11.IDLE:
            self._waiting += 1
            if self._waiting > HEAD_S:
                self.transport.close()
        else:
            self._waiting = 0
        self.loop.call_later(_TICK_S, self._watch)
