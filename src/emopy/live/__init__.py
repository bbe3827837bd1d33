"""A live view of a camera: a page on this machine, a window, or the terminal."""

from emopy.live.loop import View, watch
from emopy.live.page import Page
from emopy.live.sources import open_live
from emopy.live.terminal import Terminal
from emopy.live.views import open_view

__all__ = ["Page", "Terminal", "View", "open_live", "open_view", "watch"]
