"""Live predictions from a camera: on a page of this machine, in a window or in the terminal.

`WebPage` serves the other page, which predicts in the browser.
"""

from emopy.live.page import Page
from emopy.live.sources import open_live
from emopy.live.terminal import Terminal
from emopy.live.views import View, open_view, show_live
from emopy.live.web_page import WebPage
from emopy.live.window import Window, has_windows
from emopy.web_page_files import find_web_page

__all__ = [
    "Page",
    "Terminal",
    "View",
    "WebPage",
    "Window",
    "find_web_page",
    "has_windows",
    "open_live",
    "open_view",
    "show_live",
]
