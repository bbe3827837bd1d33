"""Errors in the words of the shell: where Python has arguments, it has options."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

_PARAMETERS = {
    "target_emotions": "emotions",
    "model_folder": "model",
    **{name: name for name in ("model", "prior", "detector", "min_confidence", "threads")},
}
"""Name of an argument in Python → that of the same thing here. Others mean many things."""


def in_shell_words(message: str, group: click.Group, words: Sequence[str]) -> str:
    """Name options in place of Python's arguments, and spell lists as the shell takes them.

    Args:
        message: What a function of EmoPy says.
        group: All verbs.
        words: What was typed after `emopy`.

    Returns:
        The message, in which only what the verb that was typed has is replaced.
    """
    here = {parameter.name: parameter for parameter in _verb(group, words).params}

    def renamed(found: re.Match[str]) -> str:
        parameter = here.get(_PARAMETERS.get(found[1], ""))
        return f"`{_shown(parameter)}`" if parameter else found[0]

    message = re.sub(r"`(\w+)`", renamed, message)
    return re.sub(r"(Type for example: )(?:\w+=)?[\[{]('.*?)[\]}]", _spelled, message)


def _verb(group: click.Group, words: Sequence[str]) -> click.Command:
    verb: click.Command = group
    for word in words:
        if isinstance(verb, click.Group):
            verb = verb.get_command(click.Context(verb), word) or verb
    return verb


def _shown(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.metavar or (parameter.name or "").upper()


def _spelled(found: re.Match[str]) -> str:
    listed = found[2].replace("'", "").replace(": ", "=").replace(", ", ",")
    return found[1] + listed
