import importlib
import inspect
from importlib.util import find_spec
from pathlib import Path

import pytest

import emopy

ROOT = Path(emopy.__file__).parent
ROOMS = sorted(
    f"emopy.{path.parent.name}" for path in ROOT.glob("*/__init__.py") if path.parent.name != "cli"
)
NEED_KERAS = {"emopy.nets", "emopy.train"}
HERE = [name for name in ["emopy", *ROOMS] if name not in NEED_KERAS or find_spec("keras")]


@pytest.mark.parametrize("name", HERE)
def test_every_name_in_all_can_be_imported(name):
    room = importlib.import_module(name)
    missing = [entry for entry in room.__all__ if not hasattr(room, entry)]
    assert not missing
    assert len(set(room.__all__)) == len(room.__all__)


@pytest.mark.parametrize("name", HERE)
def test_every_importable_public_name_is_in_all(name):
    room = importlib.import_module(name)
    public = {
        entry
        for entry, value in vars(room).items()
        if not entry.startswith("_")
        and entry != "annotations"
        and not hasattr(value, "__path__")  # rooms
        and getattr(value, "__spec__", None) is None  # files
        and getattr(value, "__module__", name).startswith(name)  # not of another room
    }
    assert public <= set(room.__all__)


@pytest.mark.parametrize("name", HERE)
def test_every_public_function_and_class_is_documented(name):
    room = importlib.import_module(name)
    bare = [
        entry
        for entry in room.__all__
        if inspect.isroutine(getattr(room, entry)) or inspect.isclass(getattr(room, entry))
        if not inspect.getdoc(getattr(room, entry))
    ]
    assert not bare


def test_emopy_names_are_offered_to_completion():
    assert set(emopy.__all__) <= set(dir(emopy))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="FERModle"):
        _ = emopy.FERModle
