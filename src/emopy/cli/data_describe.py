"""`emopy data describe`: the first look at labelled faces."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from emopy.cli.labelled import clips_option, data_arguments, load_told, say
from emopy.cli.options import FILE


@click.command()
@data_arguments
@clips_option
@click.option("--image", type=FILE, help="Draw the counts on this .png, .svg or .pdf as well.")
def describe(paths: tuple[Path, ...], clips: int | None, image: Path | None) -> int:
    """Say how many faces there are of each emotion, how large they are, and what to do next.

    Exit code 1 means that some files or rows could not be read; they are listed.
    """
    from emopy.data import (
        CSVDataLoader,
        DirectoryDataLoader,
        SequenceDataLoader,
        find_loader,
        plot_counts,
    )
    from emopy.data import describe as describe_data

    loaders = {str(path): find_loader(path, time_delay=clips) for path in paths}
    splits = {name: load_told(loader) for name, loader in loaders.items()}
    sources = {
        name: loader.sources
        for name, loader in loaders.items()
        if isinstance(loader, CSVDataLoader | DirectoryDataLoader | SequenceDataLoader)
    }
    say(describe_data(splits, sources=sources))
    left_out = sum(len(loader.skipped) for loader in loaders.values())
    if left_out:
        click.echo(f"emopy: {left_out:,} files or rows were left out, see above.", err=True)
    if image is not None:
        click.echo(f"emopy: drawn on {plot_counts(splits, image)}", err=True)
    click.echo(f"emopy: next, type: {_next(paths, clips)}", err=True)
    return 1 if left_out else 0


def _next(paths: tuple[Path, ...], clips: int | None) -> str:
    """What a newcomer does after a first look."""
    words = [str(path) for path in paths] + (["--clips", str(clips)] if clips else [])
    check = shlex.join(["emopy", "data", "check", *words])
    if len(paths) > 1:
        return check
    words.insert(1, "parts")
    return f"{check}, then: {shlex.join(['emopy', 'data', 'split', *words])}"
