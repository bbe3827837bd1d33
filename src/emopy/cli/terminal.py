"""The terminal: standard streams, groups of commands, wording of errors, text results, progress.

Results go to stdout: if it is closed or its disk is full, the command fails. Messages go to stderr:
if that cannot be written, the message is lost and the exit code stays right. Control characters are
escaped, since names of files, labels and cards may hold any.
"""

from __future__ import annotations

import ast
import errno
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO, TypeVar

import click

from emopy.errors import EmoPyError, nearest
from emopy.escaping import escape_controls, one_line

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.types import FailedInput, ImageResult

T = TypeVar("T")

COMMAND = "emopy.command"
"""Key in `click.Context.meta`: the command that runs."""

SHELL_CALLS = {
    "FERModel.predict_video": "emopy video FILE",
    "FERModel().predict": "emopy predict",
    "Dataset.save": "emopy data split or prepare",
}
"""Call in Python that an error names → what to type in the shell instead, before its argument."""

MIN_PROGRESS_STEPS = 8
"""Fewer steps have no progress bar."""

MAX_TEXT_WIDTH = 100
PIPE_TEXT_WIDTH = 72
"""Columns of text in a file or pipe."""

_UNLIMITED = 1000
"""Characters of the first sentence of a command: more than any has."""


# Standard streams


def open_standard_streams() -> None:
    """Replace closed standard streams, which Python leaves out, by the null device.

    Without this the next file that is opened would get the number of a closed stream, and
    libraries would write into it. Writing to stdout still fails, since it is opened for reading.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def write_utf8() -> None:
    """Write stdout in UTF-8 from now on, unless it is a terminal: a table in a file or pipe.

    Elsewhere than on Windows that is its encoding anyway; there, names of files would lose letters.
    """
    if sys.platform == "win32" and isinstance(sys.stdout, io.TextIOWrapper):
        if not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8", newline="")


def echo(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print a message on stdout, or on stderr, where a failure is ignored."""
    try:
        click.echo(escape_controls(str(text)), err=err, nl=nl)
    except OSError:
        if not err:
            raise


def echo_path(path: Path) -> None:
    """Print the path of a result on stdout; as it is, unless stdout is a terminal."""
    click.echo(one_line(str(path)) if sys.stdout.isatty() else path, color=True)


def print_text(text: str, *, err: bool = False) -> None:
    """Print text, with plain characters where the stream cannot encode all of them."""
    from emopy.present import encodable

    echo(encodable(text, (sys.stderr if err else sys.stdout).encoding), err=err)


class ProgressStream:
    """stderr for what a library prints meanwhile; what cannot be written is lost."""

    def write(self, text: str) -> int:
        """Write text, control characters as they are."""
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        with suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def discard_stdout() -> None:
    """Discard what is still written to stdout, so that Python does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reader_has_gone(error: OSError) -> bool:
    """Return whether writing to stdout failed since the reader of the pipe has ended."""
    # The C library of Windows reports most closed pipes as an invalid argument, without a file.
    on_windows = sys.platform == "win32" and error.errno == errno.EINVAL
    return isinstance(error, BrokenPipeError) or (
        on_windows and error.filename in (None, "<stdout>", 1)
    )


@contextmanager
def tolerate_closed_stdout(*, also_writing: bool) -> Generator[None]:
    """Continue where stdout is closed or its reader has gone, if files are written as well."""
    try:
        yield
    except OSError as error:
        if not (also_writing and (error.errno == errno.EBADF or reader_has_gone(error))):
            raise
        discard_stdout()


# Errors


class CommandGroup(click.Group):
    """A group of commands that answers a mistyped one with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of their definition."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole first sentence of each command, in several lines if need be."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(limit=_UNLIMITED))
                    for name, command in commands.items()
                    if command is not None
                ]
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, and note it for the wording of errors."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}. {nearest(args[0], self.list_commands(ctx))}")
        name, command, rest = super().resolve_command(ctx, args)
        ctx.meta[COMMAND] = command
        return name, command, rest


def print_error(error: Exception) -> None:
    """Print an error on stderr as one line, in the words of the shell."""
    echo(f"emopy: {one_line(in_shell_words(error))}", err=True)


def error_text(error: Exception) -> str:
    """Return the text of an error in the words of the shell, with the kind of one that is not ours.

    For commands that report the errors of one input and continue with the next.
    """
    kind = "" if isinstance(error, EmoPyError) else f"{type(error).__name__}: "
    return kind + in_shell_words(error)


def in_shell_words(error: Exception) -> str:
    """Return the text of an error with options in place of Python's arguments.

    The parameters of every command have the names of the arguments that they are passed to.
    Therefore `start_s` becomes `--start`, and `target_emotions=['anger', 'fear']` becomes
    `--emotions anger,fear`. Names that the command does not have stay.

    Args:
        error: Raised while a command runs; other errors than EmoPy's keep their text.
    """
    context = click.get_current_context(silent=True)
    if context is None or not isinstance(error, EmoPyError):
        return str(error)
    command: click.Command = context.meta.get(COMMAND, context.command)
    options: dict[str, str] = {}
    for parameter in command.params:
        name = parameter.name or ""
        options[name] = _shown(parameter)
        if parameter.nargs == -1:
            options.setdefault(name.removesuffix("s"), options[name])

    def renamed(code: str) -> str:
        name, _, value = code.partition("=")
        if name not in options:
            return _shell_call(code)
        return f"{options[name]} {_in_shell(value)}".rstrip()

    # Between backticks a shell would run it once more.
    return re.sub("Type: `(emopy [^`]+)`", r"Type: \1", error.worded(renamed))


def _shown(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.metavar or parameter.name or "").upper().strip("[].").partition(" ")[0]


def _shell_call(code: str) -> str:
    """Return what to type in place of a call in Python, with its argument; other code stays."""
    for call, command in SHELL_CALLS.items():
        if code == call:
            return command
        if code.startswith(f"{call}("):
            argument = code.removeprefix(f"{call}(").removesuffix(")")
            return f"{command} {shlex.quote(_in_shell(argument))}"
    return code


def _in_shell(value: str) -> str:
    """Spell a Python value as an option takes it."""
    try:
        plain = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    if isinstance(plain, dict):
        return ",".join(f"{key}={number}" for key, number in plain.items())
    if isinstance(plain, list | tuple):
        return ",".join(map(str, plain))
    return "" if plain is True else str(plain)


# Results and progress


def text_width() -> int:
    """Return the columns for text: those of the terminal, fewer in a file or pipe."""
    if not sys.stdout.isatty():
        return PIPE_TEXT_WIDTH
    return min(shutil.get_terminal_size((PIPE_TEXT_WIDTH, 24)).columns, MAX_TEXT_WIDTH)


@contextmanager
def open_output(path: Path | None) -> Generator[TextIO]:
    """Open the file for the results, which appears when it is complete, or stdout."""
    from emopy.files import atomic_file

    if path is None:
        yield sys.stdout
        return
    with (
        atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        yield stream


class TextSink:
    """Writes results as readable text, with a blank line between images.

    Failed inputs are left out: they are reported on stderr.

    Args:
        path: File to write, which appears when it is complete; None for stdout.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._gap = ""
        self._stack = ExitStack()
        self._stream = self._stack.enter_context(open_output(self._path))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def write(self, result: ImageResult | FailedInput) -> None:
        """Write the faces of one image."""
        from emopy.present import as_text, encodable
        from emopy.types import ImageResult

        if isinstance(result, ImageResult):
            text = encodable(as_text(result, width=text_width()), self._stream.encoding)
            self._stream.write(f"{self._gap}{text}\n")
            self._stream.flush()
            self._gap = "\n"


def progress(items: Iterable[T], total: int | None, label: str, *, busy: bool) -> Iterator[T]:
    """Pass items on, with a progress bar and the time left if stderr is a terminal.

    There is no bar if `total` is None, or if `busy`: the results are printed on the same terminal.
    """
    if busy or total is None or total < MIN_PROGRESS_STEPS or not sys.stderr.isatty():
        yield from items
        return

    def time_left(_: T | None) -> str | None:
        return f"{bar.format_eta()} left" if bar.eta_known and not bar.finished else None

    bar = click.progressbar(
        items,
        length=total,
        label=one_line(label),
        file=sys.stderr,
        show_eta=False,  # a time that does not say what it is
        show_pos=True,
        item_show_func=time_left,
    )
    with bar:
        yield from bar


@contextmanager
def quiet_import() -> Iterator[None]:
    """Hold back what libraries, also those in C, write to stderr while they are imported.

    For the import of `emopy.train`: no setting turns off the greeting of TensorFlow. If the
    import fails, what was held back is shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # for what TensorFlow writes later
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
