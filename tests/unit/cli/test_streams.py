"""Standard streams that are closed, full or no longer read; control characters in names."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emopy.cli.main import main
from emopy.cli.terminal import ProgressStream, echo, echo_path, error_text, print_error, print_text
from emopy.errors import InputError
from emopy.files import atomic_file
from emopy.labels import ALL_EMOTIONS
from emopy.present import open_table
from emopy.types import FailedInput

FULL = Path("/dev/full")
RED = "\x1b[31mred\x1b]0;renamed\x07"

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


def shell(redirection, *words, **options):
    """Run `emopy` in a shell with redirections of its streams."""
    command = f'exec "$@" {redirection}'
    process = [sys.executable, "-m", "emopy", *map(str, words)]
    return subprocess.run(
        ["/bin/sh", "-c", command, "sh", *process], capture_output=True, text=True, **options
    )


@posix
@pytest.mark.parametrize("words", [["models", "list"], ["--version"], ["predict", "--help"]])
@pytest.mark.parametrize(
    "redirection, reason",
    [(">&-", "Bad file descriptor"), pytest.param(">/dev/full", "No space left", marks=needs_full)],
)
def test_a_stdout_that_cannot_be_written_is_one_line_and_exit_code_2(words, redirection, reason):
    done = shell(redirection, *words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"emopy: stdout: {reason}")
    assert done.stderr.count("\n") == 1


@posix
@pytest.mark.parametrize("form", ["text", "csv", "json", "jsonl"])
@pytest.mark.parametrize("redirection", [">&-", pytest.param(">/dev/full", marks=needs_full)])
def test_results_that_cannot_be_printed_are_no_success(
    linear_model, astronaut_file, form, redirection
):
    quick = ["--model", linear_model, "--detector", "full-image", "--format", form]
    done = shell(redirection, "predict", astronaut_file, *quick)
    assert done.returncode == 2
    assert done.stderr.startswith("emopy: stdout: ")
    assert done.stderr.count("\n") == 1


@posix
def test_what_is_written_to_files_needs_no_stdout(linear_model, astronaut_file, tmp_path):
    out = tmp_path / "t.csv"
    quick = ["--model", linear_model, "--detector", "full-image", "--out", out]
    done = shell("<&- >&-", "predict", astronaut_file, *quick)
    assert (done.returncode, done.stderr) == (0, f"emopy: {out}: images 1, faces 1\n")
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2


@posix
@pytest.mark.parametrize("verb", ["predict", "explain"])
def test_drawings_are_made_whole_where_the_reader_of_stdout_has_gone(
    verb, linear_model, astronaut_file, tmp_path
):
    drawn = tmp_path / "drawn"
    quick = ["--model", linear_model, "--detector", "full-image", "--draw", drawn]
    photos = [shutil.copy(astronaut_file, tmp_path / f"{name}.png") for name in "abc"]
    done = shell("| true", verb, *photos, *quick)
    assert "Traceback" not in done.stderr
    assert len(list(drawn.iterdir())) == 3


@posix
@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=needs_full)])
@pytest.mark.parametrize(
    "words, code",
    [(["models", "list"], 0), (["models", "show", "nomodel"], 2), (["nosuch"], 2), ([], 2)],
)
def test_messages_that_cannot_be_printed_change_no_exit_code(words, code, redirection):
    done = shell(redirection, *words)
    assert done.returncode == code
    assert "Traceback" not in done.stdout


class FullStream(io.StringIO):
    """A stream on a full disk."""

    def write(self, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def flush(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_progress_that_cannot_be_printed_ends_no_training(monkeypatch, capsys):
    progress = ProgressStream()
    progress.write("epoch 1\n")
    assert capsys.readouterr().err == "epoch 1\n"
    monkeypatch.setattr("sys.stderr", FullStream())
    assert progress.write("epoch 2\n") == 8
    progress.flush()
    assert not progress.isatty()


@posix
def test_without_any_stream_the_exit_code_is_right():
    assert shell("<&- >&- 2>&-", "models", "show", "nomodel").returncode == 2


@posix
def test_a_reader_that_has_gone_ends_the_command_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "emopy", "models", "list"], stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@needs_full
def test_a_full_disk_is_reported_with_the_name_of_the_file(linear_model, astronaut_file, capsys):
    quick = ["--model", str(linear_model), "--detector", "full-image", "--format", "csv"]
    assert main(["predict", str(astronaut_file), *quick, "--out", str(FULL)]) == 2
    assert capsys.readouterr().err == "emopy: /dev/full: No space left on device.\n"


def test_a_disk_that_fills_up_leaves_the_older_file_and_names_it(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("older")

    def fill(partial):
        partial.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught, atomic_file(path) as partial:
        fill(partial)
    assert caught.value.filename == str(path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_stream_that_fails_is_not_taken_for_the_file_that_is_being_written(tmp_path):
    class Full(io.StringIO):
        name = "<stdout>"

        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    failed = FailedInput("a.jpg", InputError("no image"))
    with pytest.raises(OSError, match="No space") as caught, atomic_file(tmp_path / "t"):
        open_table(Full(), ALL_EMOTIONS, format="csv").__enter__().write(failed)
    assert caught.value.filename == "<stdout>"


# Control characters


def test_nothing_that_is_printed_controls_the_terminal(capsys):
    echo(RED)
    echo(RED, err=True)
    print_text(RED)
    print_error(InputError(f"`path` must be good. Received {RED}\n."))
    print_error(ValueError(RED))
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "\x07" not in captured.out + captured.err
    assert captured.out.splitlines() == [r"\x1b[31mred\x1b]0;renamed\x07"] * 2
    assert len(captured.err.splitlines()) == 3


def test_a_path_for_a_program_stays_as_it_is_except_on_a_terminal(capsys, monkeypatch):
    echo_path(Path(RED))
    assert capsys.readouterr().out == f"{RED}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    echo_path(Path(RED))
    assert "\x1b" not in capsys.readouterr().out


def test_the_trace_of_an_error_and_wrong_usage_are_escaped_too(capsys):
    assert main(["predict", f"{RED}.jpg", "--model", RED, "--debug"]) == 2
    assert main([RED]) == 2
    assert main(["predict", "a.jpg", f"--{RED}"]) == 2
    assert main(["predict", "a.jpg", "--format", RED]) == 2
    assert main(["models", "fetch", RED]) == 2
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "Traceback" in captured.err


def test_images_models_and_folders_with_control_characters_in_their_names(
    linear_model, astronaut_file, tmp_path, capsys
):
    folder = tmp_path / RED
    folder.mkdir()
    (folder / "bad.png").write_bytes(b"not an image")
    (folder / "good.png").write_bytes(astronaut_file.read_bytes())
    quick = ["--model", str(linear_model), "--detector", "full-image"]
    assert main(["predict", str(folder), *quick]) == 1
    assert main(["predict", str(folder), *quick, "--out", str(folder / "t.csv")]) == 1
    assert main(["predict", str(folder / "bad.png"), "--model", str(folder)]) == 2
    assert main(["models", "check", str(folder)]) == 1
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err


def test_an_error_that_is_not_ours_is_shown_with_its_kind():
    assert error_text(KeyError("x")) == "KeyError: 'x'"
    assert error_text(InputError("bad")) == "bad"


@pytest.mark.parametrize("verb", ["predict", "explain"])
def test_a_dash_is_stdout(verb, linear_model, astronaut_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [verb, str(astronaut_file), "--model", str(linear_model), "--format", "json"]
    assert main([*words, "--out", "-"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == []
