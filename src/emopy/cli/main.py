"""The `emopy` command: runs a verb, and turns every error into one line and an exit code.

Exit codes: 0 all good · 1 some inputs failed, the others are done and listed · 2 wrong usage, or a
model, data or an output that cannot be used · 130 stopped by Ctrl-C or `kill`. What a program
would read goes to stdout; everything meant for a person goes to stderr.
"""

from __future__ import annotations

import importlib
import io
import sys
import traceback
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from emopy.cli.interruption import interrupt_on_kill
from emopy.cli.terminal import (
    CommandGroup,
    discard_stdout,
    echo,
    open_standard_streams,
    print_error,
    reader_has_gone,
)
from emopy.errors import EmoPyError, ImageWarning
from emopy.escaping import one_line

VERBS = (
    *("demo", "predict", "explain", "video", "webcam", "web", "serve", "batch", "models"),
    *("train", "evaluate", "calibrate", "data", "doctor"),
)
"""The verbs, in the order in which a newcomer meets them."""

FILES = {"calibrate": "evaluate"}
"""Files of this folder that hold a verb of another name; the others are named after their verb."""

USAGE_ERROR = 2
INTERRUPTED = 130


class Verbs(CommandGroup):
    """The verbs; each is imported when it is used, so that `emopy --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb of that name, or None."""
        if cmd_name not in VERBS:
            return None
        file = FILES.get(cmd_name, cmd_name)
        return getattr(importlib.import_module(f"emopy.cli.{file}"), cmd_name)


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "show_default": True}
)
@click.version_option(package_name="emopy", prog_name="emopy", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def emopy() -> None:
    """Predict facial expressions in images, videos and camera streams; train models for it.

    Start with: emopy demo, then emopy predict YOUR-PHOTO.
    A model predicts what a face expresses, not what a person feels.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with these arguments, or those of the process; return the exit code."""
    open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # prints ? for what the encoding does not have
    words, debug = _take_debug(list(sys.argv[1:] if arguments is None else arguments))
    code = _run_to_exit_code(words, debug=debug)
    try:
        sys.stdout.flush()
    except OSError as error:
        discard_stdout()
        if reader_has_gone(error):
            return code
        if code != USAGE_ERROR:
            _print_os_error(error)
        return USAGE_ERROR
    return code


def _run_to_exit_code(words: list[str], *, debug: bool) -> int:
    try:
        with interrupt_on_kill(), plain_warnings():
            return _run(words, debug=debug)
    except OSError as error:
        if reader_has_gone(error):
            return 0  # such as `head`: no error
        if debug:
            _print_traceback(error)
        _print_os_error(error)
        return USAGE_ERROR
    except click.ClickException as error:
        _print_usage_error(error)
        return USAGE_ERROR
    except (click.Abort, KeyboardInterrupt) as stop:
        echo(" ".join(filter(None, ("emopy: stopped.", str(stop)))), err=True)
        return INTERRUPTED


def _print_os_error(error: OSError) -> None:
    """Print which file failed; an error without a file comes from stdout."""
    file = "stdout" if error.filename in (None, "<stdout>", 1) else error.filename
    echo(one_line(f"emopy: {file}: {error.strerror or error}."), err=True)


def _print_traceback(error: BaseException) -> None:
    echo("".join(traceback.format_exception(error)), err=True, nl=False)


@contextmanager
def plain_warnings() -> Generator[None]:
    """Print each `ImageWarning` once, as one line."""
    shown: set[str] = set()
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, ImageWarning):
            usual(message, category, *place, **more)
        elif str(message) not in shown:
            shown.add(str(message))
            echo(one_line(f"emopy: {message}"), err=True)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


def _run(words: list[str], *, debug: bool) -> int:
    """Run the command; print an error of EmoPy while the context knows the options for its text."""
    try:
        with emopy.make_context("emopy", words) as context:
            try:
                outcome = emopy.invoke(context)
            except EmoPyError as error:
                if debug:
                    _print_traceback(error)
                print_error(error)
                return USAGE_ERROR
    except click.exceptions.Exit as done:
        return done.exit_code
    return outcome if isinstance(outcome, int) else 0


def _print_usage_error(error: click.ClickException) -> None:
    """Print wrong usage on stderr as one line; a group without a command prints its help."""
    if type(error).__name__ == "NoArgsIsHelpError":  # new in click 8.2
        echo(error.format_message(), err=True)
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    text = " ".join(error.format_message().split())
    hint = f" (help: {context.command_path} --help)" if context else ""
    echo(f"emopy: {one_line(text)}{hint}", err=True)


def _take_debug(words: list[str]) -> tuple[list[str], bool]:
    """Accept `--debug` anywhere on the line, not only before the verb."""
    end = words.index("--") if "--" in words else len(words)
    rest = [word for word in words[:end] if word != "--debug"]
    return rest + words[end:], len(rest) < end
