"""`emopy data check`: find what would make a training, or its figures, worthless."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.labelled import clips_option, data_arguments, open_labelled, say


@click.command()
@data_arguments
@clips_option
def check(paths: tuple[Path, ...], clips: int | None) -> int:
    """Look for what spoils training: repeats, contradictions, people on both sides.

    Name the parts of a split together to find images that are in more than one. Marked ✗ is
    what must be repaired, ? what is probable and worth a look: an image that is in another part
    resized, brightened, compressed anew or mirrored. Exit code 1 means that something serious was
    found, or that some files or rows could not be read.
    """
    from emopy.data import check as check_data

    opened = {str(path): open_labelled(path, clips=clips) for path in paths}
    report = check_data({name: faces for name, (faces, _) in opened.items()})
    say(str(report))
    left_out = sum(count for _, count in opened.values())
    return 1 if left_out or not report.ok else 0
