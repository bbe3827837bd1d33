"""`--prior`: how often each emotion is expected."""

from __future__ import annotations

import click

from emopy.cli.options import Decorator


def parse_prior(
    context: click.Context, parameter: click.Parameter, value: str
) -> str | dict[str, float]:
    """Turn ``anger=0.2,calm=0.8`` into shares; other words stay words."""
    del context, parameter
    if "=" not in value:
        return value.strip().lower()
    shares: dict[str, float] = {}
    for part in value.split(","):
        label, _, share = part.partition("=")
        try:
            shares[label.strip()] = float(share)
        except ValueError:
            raise click.BadParameter(
                f"shares must be numbers. Received {part.strip()!r}. "
                "Type for example: anger=0.2,neutral=0.8"
            ) from None
    return shares


def prior_option(*, default: str = "tempered") -> Decorator:
    """`--prior`, whose default differs between reading faces and judging a model."""
    return click.option(
        "--prior",
        default=default,
        show_default=True,
        metavar="PRIOR",
        callback=parse_prior,
        help="How often each emotion is expected: training, uniform, tempered (between), or "
        "a share for each emotion asked for: anger=0.2,neutral=0.8",
    )
