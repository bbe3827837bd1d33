"""`emopy data samples`: the packaged sample data as files."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.options import FOLDER


@click.command()
@click.argument("out", type=FOLDER)
def samples(out: Path) -> None:
    """Write sample faces to learn with and to try things on, in every layout that can be read.

    OUT, a new or empty folder, receives 448 stills and 224 clips of composite faces in seven
    emotions, divided into a training part and a held-out part. They show nobody.
    """
    from emopy.samples import write_samples

    click.echo(write_samples(out))
