"""The `emopy` command: finds the verb, and turns every error into one line and an exit code.

Exit codes: 0 all good · 1 some inputs failed, the others are done and listed · 2 wrong usage,
or a model or data that cannot be used · 130 stopped by Ctrl-C or `kill`. What a program would
read goes to stdout; everything meant for a person goes to stderr.
"""

from __future__ import annotations

import importlib
import io
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import click

from emopy.cli.groups import NearestGroup
from emopy.cli.stdout import drop_stdout
from emopy.cli.wording import in_shell_words
from emopy.errors import EmoPyError

VERBS = (
    *("demo", "predict", "video", "webcam", "models"),
    *("train", "evaluate", "calibrate", "data", "doctor"),
)
"""One file of this folder per verb, in the order in which a newcomer meets them."""

USAGE_ERROR = 2
INTERRUPTED = 130


class Verbs(NearestGroup):
    """The verbs, each imported when it is asked for: `emopy --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name, or None."""
        if cmd_name not in VERBS:
            return None
        return getattr(importlib.import_module(f"emopy.cli.{cmd_name}"), cmd_name)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="emopy", prog_name="emopy", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the trace of an error.")
def emopy() -> None:
    """Read facial expressions from images, offline, and train networks for it.

    Start with: emopy demo, then emopy predict YOUR-PICTURE.
    A face shows an expression; what a person feels is another matter.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows `emopy`; the process's own arguments where None.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal must not stop the work
    words, debug = _take_debug(list(sys.argv[1:] if arguments is None else arguments))
    try:
        with _tidy_end():
            code = _run(words)
        sys.stdout.flush()
        return code
    except EmoPyError as error:
        if debug:
            traceback.print_exception(error)
        click.echo(f"emopy: {in_shell_words(str(error), emopy, words)}", err=True)
        return USAGE_ERROR
    except BrokenPipeError:
        drop_stdout()
        return 0  # the reader, such as `head`, has all it wanted
    except OSError as error:
        if debug:
            traceback.print_exception(error)
        click.echo(f"emopy: {error.filename or 'a file'}: {error.strerror or error}.", err=True)
        return USAGE_ERROR
    except click.ClickException as error:
        error.show()
        return USAGE_ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("emopy: stopped.", err=True)
        return INTERRUPTED


def _run(words: list[str]) -> int:
    """Parse and call; unlike `emopy.main`, leaves every error to the one place above."""
    try:
        with emopy.make_context("emopy", words) as context:
            outcome = emopy.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return outcome if isinstance(outcome, int) else 0


@contextmanager
def _tidy_end() -> Generator[None]:
    """Let `kill`, or a terminal that is closed, clean up like Ctrl-C: nothing half-written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # `nohup` wants to go on
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _take_debug(words: list[str]) -> tuple[list[str], bool]:
    """Accept `--debug` anywhere on the line, not only before the verb."""
    end = words.index("--") if "--" in words else len(words)
    rest = [word for word in words[:end] if word != "--debug"]
    return rest + words[end:], len(rest) < end
