"""How results were made: the record by which a run that was interrupted is resumed.

A record has every option and condition that decides the results. Results are continued or kept only
if they were made with the same record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.fermodel import FERModel

Settings = dict[str, Any]
"""How a file was made: the name of an option, or of another condition, → a value in JSON."""

_WITHOUT_EFFECT = frozenset({"threads"})
"""Options that change no result."""


def made_with(
    model: FERModel, options: Mapping[str, Any], conditions: Mapping[str, Any]
) -> Settings:
    """Return everything that decides the results of the current command.

    Args:
        model: The model.
        options: Values of options, by the name of their parameter.
        conditions: More of them, by the name to show.
    """
    from emopy import __version__

    context = click.get_current_context()
    shown = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    return {
        **{
            shown[name]: _as_typed(value)
            for name, value in options.items()
            if name not in _WITHOUT_EFFECT
        },
        "--emotions": ",".join(model.labels),
        "--model": model.card.name,
        "version of the model": model.card.checksum,
        "version of EmoPy": __version__,
        **conditions,
    }


def _as_typed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ",".join(f"{label}={number:g}" for label, number in value.items())
    if isinstance(value, tuple):  # of an option that may be given several times
        return ",".join(map(str, cast("tuple[object, ...]", value)))
    return str(value) if isinstance(value, Path) else value


def checksum(values: Mapping[str, Any]) -> str:
    """Return a checksum of values that JSON can hold."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
