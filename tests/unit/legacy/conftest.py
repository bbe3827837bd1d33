"""The old modules as if they were imported for the first time."""

import sys
from importlib.util import find_spec

import pytest

# Training is an extra: without Keras the networks and what feeds them are not collected.
NEED_KERAS = [*("test_flows.py", "test_networks.py", "test_training.py")]
collect_ignore = [] if find_spec("keras") else NEED_KERAS


@pytest.fixture
def afresh():
    """Forget the old modules before a test and after it, so that each import warns."""

    def forget():
        for name in [name for name in sys.modules if name.split(".")[0] == "EmoPy"]:
            del sys.modules[name]

    forget()
    yield
    forget()


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    """The old networks write to the folder ``output`` of where they are run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
