"""Times as people type them."""

from __future__ import annotations

from typing import Any

import click


class Time(click.ParamType):
    """Seconds, also as minutes and seconds, or hours, minutes and seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Turn ``1:02:03.5`` into 3723.5."""
        try:
            parts = [float(part) for part in str(value).split(":")]
        except ValueError:
            parts = []
        if not 1 <= len(parts) <= 3 or not all(part >= 0 for part in parts):
            self.fail(f"{value!r} is no time. Type for example: 90, or 1:30", param, ctx)
        return sum(part * 60**power for power, part in enumerate(reversed(parts)))


TIME = Time()
