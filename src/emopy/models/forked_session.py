"""`ForkedSession`: an ONNX Runtime session that a forked child opens again where it must.

A child has none of the threads of a session, and a lock of a run in another thread stays locked in
it for ever. A session with one thread, and without a run at that moment, works on in the child.
"""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

_sessions: weakref.WeakSet[ForkedSession] = weakref.WeakSet()


class ForkedSession:
    """Has the attributes of the session that it opens; thread-safe.

    Args:
        open_session: Returns an ``onnxruntime.InferenceSession``.
        threads: CPU threads of that session.
    """

    def __init__(self, open_session: Callable[[], Any], *, threads: int) -> None:
        self._open = open_session
        self._session = open_session()
        self._has_threads = threads > 1
        self._running: set[int] = set()  # threads that run the model at this moment
        _sessions.add(self)

    def run(self, *arguments: Any) -> Any:
        """Run the model, as ``InferenceSession.run``."""
        session = self._opened()
        thread = threading.get_ident()
        self._running.add(thread)
        try:
            return session.run(*arguments)
        finally:
            self._running.discard(thread)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened(), name)

    def _opened(self) -> Any:
        session = self._session
        if session is None:
            session = self._session = self._open()
        return session

    def forget_parent(self) -> None:
        """Open the session anew at its next use, if that of the parent cannot work."""
        if self._has_threads or self._running:
            # Never destroyed: that would wait for threads that do not exist.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session))
            self._session = None
            self._running.clear()


def _forget_all() -> None:
    for session in list(_sessions):
        session.forget_parent()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_all)
