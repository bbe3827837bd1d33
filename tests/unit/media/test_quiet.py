"""Process-wide switches are put back."""

import os
import warnings

import pytest
from PIL import Image

from emopy.media.quiet import quiet_pillow, quiet_tiff, without_stderr


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
