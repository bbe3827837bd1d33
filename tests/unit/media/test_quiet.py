"""Process-wide switches are put back."""

import os
import warnings

import cv2
import pytest
from PIL import Image

from emopy.media.quiet import quiet_opencv, quiet_pillow, quiet_tiff, without_stderr


def test_standard_error_is_silent_inside_and_back_afterwards(capfd):
    with without_stderr():
        os.write(2, b"hidden")
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"


@pytest.mark.parametrize("quiet", [quiet_pillow, quiet_tiff])
def test_switches_are_put_back_after_an_error(quiet):
    before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))

    def fail():
        with quiet():
            warnings.warn("not shown", stacklevel=1)
            assert Image.MAX_IMAGE_PIXELS is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert before == (Image.MAX_IMAGE_PIXELS, list(warnings.filters))


def test_opencv_is_quiet_until_the_last_user_leaves():
    before = cv2.utils.logging.getLogLevel()
    first, second = quiet_opencv(), quiet_opencv()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.utils.logging.getLogLevel() == cv2.utils.logging.LOG_LEVEL_SILENT
    second.__exit__(None, None, None)
    assert cv2.utils.logging.getLogLevel() == before
