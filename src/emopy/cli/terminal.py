"""The terminal: groups of commands, wording of errors, text results, progress, Ctrl-C."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from emopy.cli.streams import echo
from emopy.errors import EmoPyError, nearest
from emopy.escaping import one_line

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.types import FailedInput, ImageResult

T = TypeVar("T")

COMMAND = "emopy.command"
"""Key in `click.Context.meta`: the command that runs."""

SHELL_CALLS = {
    "FERModel.predict_video": "emopy video FILE",
    "Dataset.save": "emopy data split or prepare",
}
"""Call in Python that an error names → what to type in the shell instead."""

MIN_PROGRESS_STEPS = 8
"""Fewer steps have no progress bar."""

MAX_TEXT_WIDTH = 100
PIPE_TEXT_WIDTH = 72
"""Columns of text in a file or pipe."""

START_AGAIN = "Nothing is kept: rerun the same command to start again."
"""What a command that is not resumed says when it is stopped."""

_UNLIMITED = 1000
"""Characters of the first sentence of a command: more than any has."""


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
            return SHELL_CALLS.get(code, code)
        return f"{options[name]} {_in_shell(value)}".rstrip()

    return error.worded(renamed)


def _shown(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.metavar or parameter.name or "").upper().strip("[].").partition(" ")[0]


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


class TextSink:
    """Writes results as readable text, with a blank line between images.

    Failed inputs are left out: they are reported on stderr.

    Args:
        path: File to write, which appears when it is complete; None for stdout.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> Self:
        from emopy.files import atomic_file

        self._gap = ""
        self._stack = ExitStack()
        self._stream = sys.stdout
        if self._path is not None:
            temporary = self._stack.enter_context(atomic_file(self._path))
            self._stream = self._stack.enter_context(temporary.open("w", encoding="utf-8"))
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


# Ctrl-C


@contextmanager
def on_stop(hint: str) -> Generator[None]:
    """Add to the message that the command was stopped how to resume it, in one line."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(hint) from None


class StopRequest:
    """Whether the user asked for an orderly end.

    Attributes:
        was_made: Whether the end was asked for.
    """

    def __init__(self) -> None:
        self.was_made = False
        self._may_break = False

    def make(self) -> None:
        """Ask for the end."""
        self.was_made = True
        if self._may_break:
            raise KeyboardInterrupt

    def items_until(self, items: Iterable[T]) -> Generator[T]:
        """Pass items on until the request is made; it ends the wait for the next item."""
        rest = iter(items)
        while not self.was_made:
            try:
                self._may_break = True
                item = next(rest)
                self._may_break = False
            except StopIteration:
                return
            except KeyboardInterrupt:
                if self.was_made:
                    return
                raise
            finally:
                self._may_break = False
            yield item


@contextmanager
def stop_on_ctrl_c() -> Generator[StopRequest]:
    """Make the first Ctrl-C, or `kill`, a request for an orderly end; the second one interrupts.

    A closed terminal or connection is a request too, unless it is ignored, as under `nohup`.

    Yields:
        The request. Outside the main thread it is never made.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    stops = (signal.SIGINT, signal.SIGTERM)
    before: dict[int, Any] = {number: signal.getsignal(number) for number in stops}
    hangup: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        before[hangup] = signal.getsignal(hangup)

    def restore(numbers: Iterable[int]) -> None:
        for number in numbers:
            signal.signal(number, before[number])

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        restore(stops)
        if not request.was_made:
            request.make()

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore(before)


@contextmanager
def interrupt_on_kill() -> Generator[None]:
    """Let `kill`, or a closed terminal, clean up like Ctrl-C: no half-written files."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
