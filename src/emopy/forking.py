"""Forked processes: locks that are free in the child, and objects that work in one process only.

A child of `os.fork` has one thread. A lock that another thread of the parent held at that moment
would stay locked in the child for ever, and a setting that it had changed would stay changed.
"""

from __future__ import annotations

import os
import threading
import weakref

from emopy.errors import InputError

_locks: weakref.WeakSet[threading.RLock] = weakref.WeakSet()
_forking = threading.RLock()
_held: list[threading.RLock] = []


def fork_safe_lock() -> threading.RLock:
    """Return a reentrant lock that `os.fork` takes before it forks, and frees on both sides.

    What the lock guards is therefore complete in the child. No thread may hold two such locks.
    """
    lock = threading.RLock()
    with _forking:
        _locks.add(lock)
    return lock


class Owner:
    """The process in which an object was made. Its threads are in no other process."""

    def __init__(self) -> None:
        self._process = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is that process."""
        return os.getpid() == self._process

    def check(self, argument: str, instead: str) -> None:
        """Raise InputError in another process.

        Args:
            argument: What the caller uses, for the error.
            instead: What to do instead.
        """
        if not self.is_here:
            raise InputError(
                f"`{argument}` must be read in the process that opened it. "
                f"Received one of process {self._process} in process {os.getpid()}. {instead}"
            )


def _before() -> None:
    _forking.acquire()
    _held.extend(_locks)
    for lock in _held:
        lock.acquire()


def _after() -> None:
    while _held:
        _held.pop().release()
    _forking.release()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
