"""`atomic_file` and `atomic_folder`: written whole, or not at all."""

import errno
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from emopy.errors import InputError
from emopy.files import (
    DamagedFileError,
    atomic_file,
    atomic_folder,
    check_writable,
    read_arrays,
    sha256_of,
)


def names(folder):
    return [entry.name for entry in folder.iterdir()]


def fail_inside(writer):
    with writer as temporary:
        (temporary / "half" if temporary.is_dir() else temporary).write_text("half")
        raise RuntimeError


def test_a_link_is_kept_and_its_target_is_replaced(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomic_file(tmp_path / "link") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "real").read_text() == "old"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_device_is_written_directly():
    with atomic_file("/dev/null") as path:
        path.write_text("gone")
    assert path.is_char_device()


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path, reason in ((tmp_path, "folder"), (tmp_path / "file" / "out", "can be written")):
        with pytest.raises(InputError, match=reason), atomic_file(path):
            pass
    with pytest.raises(InputError, match="can be created"), atomic_folder(tmp_path / "file" / "x"):
        pass


@pytest.mark.parametrize("opened", [atomic_file, atomic_folder])
def test_a_name_with_a_zero_byte_is_refused(tmp_path, opened):
    with pytest.raises(InputError, match="null"), opened(f"{tmp_path}/a\0b.png"):
        pass


KILLED_BETWEEN_TWO_MOVES = """
import os, sys
from emopy import files
def move(source, target):
    source.rename(target)
    os._exit(1)
files._replace = move
with files.atomic_folder(sys.argv[1], replace=True) as folder:
    (folder / "weights").write_text("new")
"""


def test_a_folder_that_was_moved_away_survives_a_kill(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("old")
    words = [sys.executable, "-c", KILLED_BETWEEN_TWO_MOVES, tmp_path / "model"]
    assert subprocess.run(words, check=False).returncode == 1
    with atomic_file(tmp_path / "other.txt") as file:  # removes what killed processes have left
        file.write_text("other")
    assert [each.read_text() for each in tmp_path.glob("model.old-*/weights")] == ["old"]


def test_an_exception_leaves_the_old_file_and_no_temporary_one(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(RuntimeError):
        fail_inside(atomic_file(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("links", [True, False])
def test_of_two_writers_that_do_not_replace_the_first_wins(tmp_path, monkeypatch, links):
    def no_links(*_):
        raise OSError(errno.EPERM, "no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    for content in ("first", "second"):
        with atomic_file(tmp_path / "plan.json", replace=False) as temporary:
            temporary.write_text(content)
    assert (tmp_path / "plan.json").read_text() == "first"
    assert names(tmp_path) == ["plan.json"]


@pytest.mark.parametrize("writer", [atomic_file, atomic_folder])
def test_names_as_long_as_the_file_system_allows_are_written(tmp_path, writer):
    path = tmp_path / ("n" * 251 + ".csv")
    with writer(path) as temporary:
        (temporary if writer is atomic_file else temporary / "inside").write_text("new content")
        assert temporary.suffix == ".csv"
    assert path.exists()


def test_leftovers_of_ended_processes_are_removed_and_of_running_ones_kept(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with atomic_file(tmp_path / "other.csv") as temporary:
        machine = temporary.name.split("-")[1]
    dead = tmp_path / f".emopy-{machine}-{ended.pid}-00000000.csv"
    dead_folder = tmp_path / f".emopy-{machine}-{ended.pid}-00000001"
    running = tmp_path / f".emopy-{machine}-{os.getppid()}-00000000.csv"
    elsewhere = tmp_path / f".emopy-0{machine[1:-1]}x-{ended.pid}-00000000.csv"
    dead_folder.mkdir()
    for file in (dead, running, elsewhere):
        file.write_text("half")
    with atomic_file(tmp_path / "table.csv") as temporary:
        temporary.write_text("new content")
    assert not dead.exists()
    assert not dead_folder.exists()
    assert running.exists()
    assert elsewhere.exists()
    assert (tmp_path / "table.csv").read_text() == "new content"


def test_a_leftover_that_cannot_be_removed_is_in_nobodys_way(tmp_path, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with atomic_file(tmp_path / "other.csv") as temporary:
        start = temporary.name.rsplit("-", 2)[0]
    (tmp_path / f"{start}-{ended.pid}-00000000.csv").write_text("of another user")
    unlink = Path.unlink

    def refuse(path, missing_ok=False):
        if str(ended.pid) in path.name:
            raise PermissionError(1, "Operation not permitted", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with atomic_file(tmp_path / "table.csv") as temporary:
        temporary.write_text("new content")
    assert (tmp_path / "table.csv").read_text() == "new content"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_is_written_where_a_link_leads(tmp_path, is_there):
    disk = tmp_path / "disk" / "results"
    if is_there:
        disk.mkdir(parents=True)
        (disk / "old").touch()
    (tmp_path / "link").symlink_to(disk)
    with atomic_folder(tmp_path / "link", replace=True) as temporary:
        (temporary / "new").touch()
    assert (tmp_path / "link").is_symlink()
    assert [file.name for file in disk.iterdir()] == ["new"]
    assert {file.name for file in tmp_path.iterdir()} == {"link", "disk"}
    assert [*disk.parent.iterdir()] == [disk]


def test_a_folder_appears_when_it_is_complete(tmp_path):
    with atomic_folder(tmp_path / "out") as temporary:
        (temporary / "a").write_text("1")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "a").read_text() == "1"


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(8 * 2**20))
    whole = path.read_bytes()
    size, huge = (count.to_bytes(4, "little") for count in (8 * 2**20, 3 * 2**30))
    assert whole.count(size) == 2  # before the content, and in the directory of the archive
    path.write_bytes(whole.replace(size, huge))
    with pytest.raises(DamagedFileError, match=r"unpacks to 3\.22 GB"):
        read_arrays(path)


@pytest.mark.parametrize("name", [".DS_Store", "._a", "Thumbs.db", "desktop.ini"])
def test_a_folder_with_files_of_file_managers_alone_is_empty(tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).touch()
    with atomic_folder(tmp_path / "out") as temporary:
        (temporary / "a").touch()
    assert names(tmp_path / "out") == ["a"]


def test_a_folder_with_hidden_content_is_not_empty(tmp_path):
    (tmp_path / "out" / ".git").mkdir(parents=True)
    with pytest.raises(InputError, match="not empty"), atomic_folder(tmp_path / "out"):
        pass


def test_a_folder_with_content_is_only_replaced_on_request(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with pytest.raises(InputError, match="not empty"), atomic_folder(tmp_path / "out"):
        pass
    with atomic_folder(tmp_path / "out", replace=True) as temporary:
        (temporary / "new").touch()
    assert names(tmp_path / "out") == ["new"]
    assert names(tmp_path) == ["out"]


def test_a_folder_whose_writer_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError):
        fail_inside(atomic_folder(tmp_path / "out"))
    assert not names(tmp_path)


def test_the_checksum_is_that_of_the_standard(tmp_path):
    (tmp_path / "empty").touch()
    assert sha256_of(tmp_path / "empty").startswith("e3b0c44298fc1c149afbf4c8996fb924")


@pytest.mark.parametrize("order", "<>")
def test_texts_with_characters_that_do_not_exist_are_damage(tmp_path, order):
    codes = np.array([97, 0x110000], f"{order}u4")
    np.savez(tmp_path / "x.npz", labels=codes.view(f"{order}U2"))
    with pytest.raises(DamagedFileError, match="labels holds characters that do not exist"):
        read_arrays(tmp_path / "x.npz")


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for path in (tmp_path / "new", tmp_path / "a" / "b" / "new", tmp_path / "file", os.devnull):
        check_writable(path)
    assert names(tmp_path) == ["file"]
    with pytest.raises(InputError, match="Not a directory"):
        check_writable(tmp_path / "file" / "new")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(InputError, match=r"a[/\\]+new'?: Permission denied. Choose another folder"):
        check_writable(tmp_path / "a" / "new")
