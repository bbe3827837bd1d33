"""A progress bar on a terminal, silence in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

Item = TypeVar("Item")

FEWEST = 8
"""Below this many steps a bar says nothing that the results do not."""


def track(items: Iterable[Item], total: int | None, what: str, *, busy: bool) -> Iterator[Item]:
    """Pass items on, with a bar on stderr when that is a terminal.

    Args:
        items: What to pass on.
        total: About how many there will be; None where nobody knows, and there is no bar.
        what: Word before the bar.
        busy: The results themselves go to the same terminal; then there is no bar.
    """
    if busy or total is None or total < FEWEST or not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=total, label=what, file=sys.stderr) as bar:
        yield from bar
