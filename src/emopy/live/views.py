"""`open_view`: the view that was asked for, or the best one that works here."""

from __future__ import annotations

from emopy.errors import InputError, nearest
from emopy.live.loop import View
from emopy.live.page import Page
from emopy.live.terminal import Terminal
from emopy.present.window import Window, has_windows

VIEWS = ("auto", "window", "page", "terminal")


def open_view(name: str = "auto", *, port: int = 0) -> View:
    """Choose a view; it opens as a context manager.

    Args:
        name: ``"window"``, ``"page"``, ``"terminal"``; ``"auto"`` is a window where OpenCV has
            one, else the page.
        port: Port of the page; 0 for any that is free.

    Returns:
        The view, not open yet.

    Raises:
        InputError: No such view.

    Example:
        >>> open_view("page", port=8123).address.startswith("http://127.0.0.1:8123/")
        True
    """
    if name not in VIEWS:
        raise InputError(f"`name` must be a view. Received {name!r}. {nearest(name, VIEWS)}")
    if name == "terminal":
        return Terminal()
    if name == "window" or (name == "auto" and has_windows()):
        return Window()
    return Page(port)
