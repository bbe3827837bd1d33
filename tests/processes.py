"""Processes of this machine, from ``/proc``."""

import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def children(parent: int, name: str = "") -> list[int]:
    """Return the ids of the processes that a process has started; those with a word in their name.

    Processes that have ended are left out.
    """
    return [
        process
        for process, (state, above, command) in _all().items()
        if above == parent and state != "Z" and name in command
    ]


def named(name: str) -> list[int]:
    """Return the ids of the processes with a word in their command line."""
    return [process for process, (state, _, command) in _all().items() if name in command]


def is_running(process: int) -> bool:
    """Return whether a process runs; one that nobody has waited for yet has ended too."""
    return _all().get(process, ("Z", 0, ""))[0] != "Z"


def wait_for(condition: Callable[[], object], *, seconds: float = 120) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: It is not after some seconds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)


def _all() -> dict[int, tuple[str, int, str]]:
    """State, parent and command line of each process."""
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            try:
                # The name in brackets may hold spaces and brackets.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it has ended meanwhile
                continue
            found[int(folder.name)] = (fields[0], int(fields[1]), command)
    return found
