"""`NearestGroup`: what `emopy`, `emopy models` and `emopy data` have in common."""

from __future__ import annotations

import click

from emopy.errors import nearest


class NearestGroup(click.Group):
    """A group of commands that answers a mistyped one with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a newcomer meets them, that of the file."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}. {nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)
