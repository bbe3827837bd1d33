"""Write docs/cli.md: the help of every command, as `emopy … --help` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from emopy.cli.main import emopy

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
WIDTH = 88

HEAD = """\
# The command line

Results go to stdout, everything meant for a person to stderr. Exit codes: 0 all good; 1 some
inputs failed, or a check found something, and the rest is done; 2 wrong usage, or a model, data or
an output that cannot be used; 130 stopped by Ctrl-C. `--debug`, anywhere on the line, shows the
traceback of an error. Downloads are kept in the folder that the environment variable `EMOPY_HOME`
names; without it in `~/.cache/emopy`, on macOS in `~/Library/Caches/emopy`, on Windows in
`%LOCALAPPDATA%\\emopy`. Control characters in names of files, models and labels are printed
escaped.
"""


def commands(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Yield each command's name and help, a group before its members."""
    width = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    with command.make_context(name, [], parent, resilient_parsing=True, **width) as context:
        yield context.command_path, command.get_help(context)
        if isinstance(command, click.Group):
            for member in command.list_commands(context):
                found = command.get_command(context, member)
                if found is not None:
                    yield from commands(found, member, context)


def page() -> str:
    """The whole page."""
    parts = [f"\n## {name}\n\n```\n{text}\n```\n" for name, text in commands(emopy, "emopy")]
    return HEAD + "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
