"""Fixtures of the tests of detectors."""

import pytest

from emopy.faces import MTCNN


@pytest.fixture(scope="session")
def mtcnn():
    """The default detector with its default settings."""
    return MTCNN()
