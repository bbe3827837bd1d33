"""Windows and macOS, by stand-ins for what they have and for what they miss.

Neither system is needed: `sys.platform`, signals, the module msvcrt, encodings and errors of the
system are replaced.
"""

import ast
import errno
import io
import os
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
from pathlib import Path, PurePosixPath, PureWindowsPath
from queue import SimpleQueue
from types import SimpleNamespace

import pytest

from emopy.batch import local_engine
from emopy.batch.storage import absolute
from emopy.cli import main as cli_main
from emopy.cli.interruption import interrupt_on_kill, stop_on_ctrl_c
from emopy.cli.outputs import plan_video_outputs, protect_inputs
from emopy.cli.partial import PartialResults
from emopy.cli.predict import open_sink
from emopy.cli.terminal import print_text, reader_has_gone, tolerate_closed_stdout
from emopy.errors import InputError
from emopy.files import atomic_file, atomic_folder, file_name, sync
from emopy.labels import STANDARD_EMOTIONS
from emopy.locks import lock
from emopy.media import open_video
from emopy.models.fetch import _certificate_hint
from emopy.present import as_text
from emopy.types import FailedInput, ImageResult
from emopy.waiting import next_item, wait_until

if os.name != "posix":
    pytest.skip("the stand-ins replace parts of POSIX", allow_module_level=True)

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "emopy"


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")


@pytest.fixture
def macos(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")


# Files


def names(folder):
    return [entry.name for entry in folder.iterdir()]


@pytest.fixture
def replace_refused(monkeypatch):
    """replace_refused(times): so often another program has the file open."""

    def refuse(times):
        usual, calls = Path.replace, []

        def replace(self, target):
            calls.append(self)
            if len(calls) <= times:
                raise PermissionError(errno.EACCES, "Access is denied", str(self))
            return usual(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr("emopy.files.time.sleep", lambda _: None)
        return calls

    return refuse


def test_a_file_that_a_virus_scanner_has_open_is_replaced_a_moment_later(
    tmp_path, windows, replace_refused
):
    replace_refused(3)
    with atomic_file(tmp_path / "a.csv") as partial:
        partial.write_text("new", encoding="utf-8")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "new"
    assert names(tmp_path) == ["a.csv"]


def test_a_file_that_stays_open_in_another_program_is_named(tmp_path, windows, replace_refused):
    (tmp_path / "a.csv").write_text("old", encoding="utf-8")
    replace_refused(100)
    with (
        pytest.raises(InputError, match=r"open in another program.*a\.csv.*Close the program"),
        atomic_file(tmp_path / "a.csv") as partial,
    ):
        partial.write_text("new", encoding="utf-8")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.csv"]


def test_elsewhere_a_refused_file_is_tried_once(tmp_path, replace_refused):
    calls = replace_refused(1)
    with pytest.raises(PermissionError), atomic_file(tmp_path / "a.csv"):
        pass
    assert len(calls) == 1


def test_a_folder_that_cannot_appear_leaves_the_old_one(tmp_path, replace_refused, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    usual = Path.replace

    def replace(self, target):
        if Path(target).name == "model":
            raise PermissionError(errno.EACCES, "Access is denied", str(self))
        return usual(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(PermissionError), atomic_folder(tmp_path / "model", replace=True) as folder:
        (folder / "new").touch()
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["old"]


def test_a_temporary_file_that_is_still_open_hides_no_error(tmp_path, monkeypatch):
    def refuse(self, missing_ok=False):
        raise PermissionError(errno.EACCES, "in use", str(self))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "a.csv"):
        raise ZeroDivisionError


def test_a_file_is_opened_for_writing_where_only_that_is_synced(tmp_path, windows, monkeypatch):
    (tmp_path / "a").write_text("kept", encoding="utf-8")
    synced = []

    def fsync(number):
        os.write(number, b"")  # as Windows: the handle must allow writing
        synced.append(number)

    monkeypatch.setattr(os, "fsync", fsync)
    sync(tmp_path / "a")
    assert synced
    assert (tmp_path / "a").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    "stem, name",
    [
        ('what? a:b*c|"d" <e>', "what_ a_b_c__d_ _e_.png"),
        ("a\\b", "a_b.png"),
        ("line\nbreak", "line_break.png"),
        ("dot.", "dot_.png"),
        ("space ", "space_.png"),
        ("CON", "_CON.png"),
        ("nul.tar", "_nul.tar.png"),
        ("Com¹ ", "Com¹_.png"),
        ("lpt9", "_lpt9.png"),
        ("console", "console.png"),
        ("portrait", "portrait.png"),
    ],
)
def test_names_that_windows_refuses_are_changed_there_only(stem, name, monkeypatch):
    assert file_name(stem, ".png") == f"{stem}.png"
    monkeypatch.setattr(sys, "platform", "win32")
    assert file_name(stem, ".png") == name


def test_outputs_of_addresses_get_names_that_windows_allows(windows, tmp_path):
    planned = plan_video_outputs(["https://example.org/a:b.mp4"], {"out": tmp_path}, table=None)
    assert planned[0].out == tmp_path / "a_b.csv"


def test_outputs_whose_names_differ_in_case_only_are_refused(tmp_path):
    with pytest.raises(InputError, match="written twice"):
        plan_video_outputs(["a/Clip.mp4", "b/clip.MP4"], {"out": tmp_path}, table=None)


def test_drawings_do_not_go_to_the_folder_of_the_images_under_another_case(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").touch()
    images = [str(tmp_path / "photos" / "a.png")]
    protect_inputs(images, out=None, draw=tmp_path / "Photos")  # another folder here

    def samefile(one, other):
        return os.fspath(one).casefold() == os.fspath(other).casefold()

    monkeypatch.setattr(os.path, "samefile", samefile)
    with pytest.raises(InputError, match="another folder"):
        protect_inputs(images, out=None, draw=tmp_path / "Photos")
    with pytest.raises(InputError, match="one of the images"):
        protect_inputs(images, out=tmp_path / "photos" / "A.png", draw=None)


def test_file_addresses_are_paths():
    assert absolute("file:///srv/my%20photos") == Path("/srv/my photos").absolute().as_posix()


def test_locations_of_a_batch_run_have_slashes_on_windows(monkeypatch):
    """A table names its images relative to its folder, which is what is before the last slash."""

    class WindowsPath(PureWindowsPath):
        def absolute(self):
            return self

    monkeypatch.setattr("emopy.batch.storage.Path", WindowsPath)
    assert absolute("C:\\data\\list.csv") == "C:/data/list.csv"
    assert absolute("file:///C:/My%20photos") == "C:/My photos"
    assert absolute("s3://bucket/list.csv") == "s3://bucket/list.csv"


# Locks


class Msvcrt:
    """The locks of Windows: of bytes, and mandatory."""

    LK_NBLCK = 2

    def __init__(self):
        self.locked = {}

    def locking(self, number, mode, count):
        assert (mode, count) == (self.LK_NBLCK, 1)
        state, place = os.fstat(number), os.lseek(number, 0, os.SEEK_CUR)
        assert place <= 2**31 - 1, "the C library counts no further"
        assert place >= state.st_size, "a locked byte of the content could not be read"
        key = (state.st_ino, place)
        if self.locked.setdefault(key, number) != number:
            raise PermissionError(errno.EACCES, "Permission denied")


@pytest.fixture
def msvcrt(monkeypatch, windows):
    found = Msvcrt()
    monkeypatch.setitem(sys.modules, "msvcrt", found)
    return found


def test_a_file_is_locked_once(tmp_path, msvcrt):
    with (tmp_path / "a").open("a+b") as first, (tmp_path / "a").open("a+b") as second:
        assert lock(first)
        assert not lock(second)
        second.write(b"at the end")
        assert second.tell() == 10


@pytest.mark.usefixtures("msvcrt")
def test_a_second_run_into_one_file_is_refused_on_windows(tmp_path):
    wanted = {"labels": STANDARD_EMOTIONS, "min_confidence": 0.0, "overwrite": False}
    with PartialResults(tmp_path / "a.csv", {}, **wanted) as first:
        first.add(("x.png", 0), [1], ImageResult("x.png", (4, 3)), drawn=None)
        with (
            pytest.raises(InputError, match="two runs at once"),
            PartialResults(tmp_path / "a.csv", {}, **wanted),
        ):
            pass
        assert first.result(("x.png", 0)).size == (4, 3)


def test_a_file_system_without_locks_is_used_without(tmp_path, monkeypatch):
    import fcntl

    def refuse(file, how):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (tmp_path / "a").open("wb") as file:
        assert lock(file)


# Signals and processes


@pytest.fixture
def sigbreak(monkeypatch):
    """Signals as on Windows: SIGBREAK, for which another one stands here, and no SIGHUP."""
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    monkeypatch.delattr(signal, "SIGHUP")
    return signal.SIGUSR1


def test_a_closed_window_of_the_terminal_interrupts_on_windows(sigbreak):
    before = signal.getsignal(sigbreak)
    with pytest.raises(KeyboardInterrupt), interrupt_on_kill():
        signal.raise_signal(sigbreak)
    assert signal.getsignal(sigbreak) == before


def test_ctrl_break_asks_for_an_orderly_end(sigbreak):
    with stop_on_ctrl_c() as request:
        signal.raise_signal(sigbreak)
        assert request.was_made


def test_a_wait_is_cut_into_short_ones_on_windows(windows, monkeypatch):
    monkeypatch.setattr("emopy.waiting._WINDOWS_SLICE_S", 0.01)
    queue, waits = SimpleQueue(), []

    class Counted:
        def get(self, timeout):
            waits.append(timeout)
            if len(waits) == 3:
                queue.put("item")
            return queue.get(timeout=timeout)

    assert next_item(Counted()) == "item"
    assert waits == [0.01] * 3


def test_a_wait_for_a_condition_ends_when_it_is_true(windows, monkeypatch):
    monkeypatch.setattr("emopy.waiting._WINDOWS_SLICE_S", 0.01)
    changed, asked = threading.Condition(), []
    with changed:
        wait_until(changed, lambda: asked.append(1) or len(asked) > 4)
    assert len(asked) > 4


def test_workers_of_batch_do_not_get_ctrl_c_on_windows(monkeypatch):
    started = {}

    def popen(words, **options):
        started.update(options, words=words)
        return SimpleNamespace(stdin=io.BytesIO(), stdout=io.BytesIO())

    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.delattr(signal, "pthread_sigmask")
    local_engine._Worker("out", SimpleQueue())
    assert started["creationflags"] == 0x200
    assert not {"preexec_fn", "start_new_session"} & set(started)


def test_cores_are_counted_without_affinity(macos, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert local_engine.usable_cores() == 3


def test_the_package_can_be_imported_without_what_windows_misses():
    program = (
        "import os, signal, sys\n"
        "for name in ('register_at_fork', 'fork', 'sched_getaffinity', 'memfd_create', 'killpg'):\n"
        "    vars(os).pop(name, None)\n"
        "for name in ('SIGHUP', 'SIGKILL', 'pthread_sigmask', 'pause'):\n"
        "    vars(signal).pop(name, None)\n"
        "sys.modules['fcntl'] = sys.modules['resource'] = None\n"
        "import emopy.batch, emopy.cli.main, emopy.live, emopy.serve.server\n"
        "from emopy import FERModel\n"
        "from emopy.samples import sample_images\n"
        "print(FERModel().predict(sample_images()['happiness']).faces[0].emotion)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "happiness\n"), done.stderr


# The terminal


def stream(encoding, **options):
    return io.TextIOWrapper(io.BytesIO(), encoding, **options)


def test_text_in_a_code_page_of_windows_is_plain(monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream("cp1252"))
    print_text("▶ happiness ███ 4 × 3 … 20°")
    sys.stdout.flush()
    assert sys.stdout.buffer.getvalue().decode("cp1252") == "> happiness ### 4 x 3 . 20°\n"


@pytest.mark.parametrize("encoding", ["cp1252", "cp932"])
@pytest.mark.parametrize(
    "words", [["demo"], ["predict", "--help"], ["models", "show", "emopy-base"]]
)
def test_commands_print_in_every_code_page(words, encoding, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream(encoding))
    monkeypatch.setattr(sys, "stderr", stream(encoding))
    assert cli_main.main(words) == 0
    sys.stdout.flush()
    assert sys.stdout.buffer.getvalue().decode(encoding)


def test_a_table_in_a_pipe_is_utf8_on_windows(windows, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream("cp1252", errors="replace", newline="\r\n"))
    with open_sink("csv", None, STANDARD_EMOTIONS) as table:
        table.write(FailedInput("Ő.png", InputError("no image")))
    text = sys.stdout.buffer.getvalue().decode("utf-8")
    assert "Ő.png" in text
    assert "\r" not in text


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EINVAL])
def test_a_pipe_whose_reader_has_ended_is_no_error_on_windows(number, windows, monkeypatch):
    def run(words, debug):
        raise OSError(number, "Invalid argument")

    monkeypatch.setattr(cli_main, "_run", run)
    assert cli_main._run_to_exit_code([], debug=False) == 0
    monkeypatch.setattr("emopy.cli.terminal.discard_stdout", lambda: None)
    with tolerate_closed_stdout(also_writing=True):
        raise OSError(number, "Invalid argument")


def test_an_invalid_argument_elsewhere_is_an_error(windows, monkeypatch):
    assert not reader_has_gone(OSError(errno.EINVAL, "Invalid argument", "C:/a?.csv"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert not reader_has_gone(OSError(errno.EINVAL, "Invalid argument"))


def test_the_width_of_text_needs_no_terminal(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: (_ for _ in ()).throw(OSError()))
    assert as_text(ImageResult("a.png", (4, 3)), width=72)


# Cameras and downloads


@pytest.mark.parametrize(
    "system, hint",
    [
        ("darwin", "System Settings, Privacy & Security, Camera"),
        ("win32", "desktop apps"),
        ("linux", "usermod -aG video"),
    ],
)
def test_a_camera_that_does_not_open_says_where_it_is_allowed(system, hint, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(InputError, match=f"no such camera.*{hint}"):
        open_video(2**31 - 1)


def test_a_download_without_certificates_says_how_to_install_them_on_macos(macos):
    failed = urllib.error.URLError(ssl.SSLCertVerificationError("unable to get local issuer"))
    assert "Install Certificates.command" in _certificate_hint(failed)
    assert not _certificate_hint(urllib.error.URLError("refused"))


# The source


TEXT_FUNCTIONS = ("read_text", "write_text")


def without_encoding(path):
    """Lines that open a text file in the encoding of the system."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        named = {keyword.arg for keyword in node.keywords}
        modes = [each.value for each in node.args if isinstance(each, ast.Constant)]
        is_text = name in TEXT_FUNCTIONS or (
            name == "open" and any(mode in ("r", "w", "a", "x", "r+", "w+") for mode in modes)
        )
        is_container = name == "open" and named & {"format", "options"}  # of a video
        if is_text and "encoding" not in named and not is_container:
            yield f"{path.name}:{node.lineno}"


def test_text_files_name_their_encoding():
    found = [line for path in sorted(SRC.rglob("*.py")) for line in without_encoding(path)]
    assert not found


def test_the_repository_can_be_checked_out_on_windows_and_macos(monkeypatch):
    listed = subprocess.run(
        ["git", "-c", "core.quotePath=off", "ls-files"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    if listed.returncode:
        pytest.skip("not a checkout")
    names = listed.stdout.splitlines()
    assert len({name.casefold() for name in names}) == len(names)
    monkeypatch.setattr(sys, "platform", "win32")
    parts = {part for name in names for part in PurePosixPath(name).parts}
    assert [part for part in sorted(parts) if file_name(part, "") != part] == []
