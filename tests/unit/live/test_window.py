import cv2
import pytest

from emopy.errors import InputError
from emopy.live import Window, has_windows


def test_there_is_no_window_without_a_display(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not has_windows()
    with pytest.raises(InputError, match="`view='page'`, or `view='terminal'`"):
        Window().__enter__()


def test_there_is_a_window_where_opencv_has_some_and_a_display(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_windows() == bool(cv2.currentUIFramework())
