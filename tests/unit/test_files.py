"""Files are there whole or not at all."""

import os
import subprocess
import sys

import pytest

from emopy.errors import InputError
from emopy.files import replacing


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as partial:
        partial.write_text("new")
        assert (tmp_path / "real").read_text() == "old"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_device_is_written_and_not_replaced():
    with replacing("/dev/null") as path:
        path.write_text("gone")
    assert path.is_char_device()


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path, part in ((tmp_path, "folder"), (tmp_path / "file" / "out", "can be written")):
        with pytest.raises(InputError, match=part), replacing(path):
            pass


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_writes_is_not(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    target = tmp_path / "table.csv"
    dead = tmp_path / f".{ended.pid}.partial.table.csv"
    alive = tmp_path / f".{os.getppid()}.partial.table.csv"
    other = tmp_path / f".{ended.pid}.partial.other.csv"
    for file in (dead, alive, other):
        file.write_text("half")
    with replacing(target) as partial:
        partial.write_text("whole")
    assert not dead.exists()
    assert alive.exists()
    assert other.exists()
    assert target.read_text() == "whole"
