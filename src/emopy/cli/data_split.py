"""`emopy data split`: divide labelled faces into parts that share no person and no image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.labelled import clips_option, load_told
from emopy.cli.options import ANY_PATH, FOLDER

if TYPE_CHECKING:
    from emopy.data import Loader

SHARE = click.FloatRange(min=0, max=1)


@click.command()
@click.argument("path", type=ANY_PATH, metavar="DATA")
@click.argument("out", type=FOLDER)
@clips_option
@click.option("--people", metavar="REGEX",
              help="Who is shown: this, or its first group, in the path of an image.")  # fmt: skip
@click.option("--validation", type=SHARE, default=0.1, show_default=True,
              help="Share to watch the training by.")  # fmt: skip
@click.option("--calibration", type=SHARE, default=0.1, show_default=True,
              help="Share to find the temperature on.")  # fmt: skip
@click.option("--test", type=SHARE, default=0.1, show_default=True,
              help="Share to judge the model on.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Decides who goes where.")
def split(
    path: Path,
    out: Path,
    clips: int | None,
    people: str | None,
    validation: float,
    calibration: float,
    test: float,
    seed: int,
) -> int:
    """Divide DATA, and write OUT/train.npz, validation.npz, calibration.npz and test.npz.

    No person and no image is in two parts, and each part has nearly the same share of every
    emotion. Exit code 1 means that some files or rows could not be read; they are listed.
    """
    from emopy.data import describe

    loader = _loader(path, clips, people)
    data = load_told(loader)
    splits = data.split(validation=validation, calibration=calibration, test=test, seed=seed)
    for name, part in splits.items():
        part.save(out / f"{name}.npz")
    click.echo(describe(splits))
    return 1 if loader.skipped else 0


def _loader(path: Path, clips: int | None, people: str | None) -> Loader:
    """The loader for a path; only folders can say in their paths who is shown."""
    from emopy.data import DirectoryDataLoader, SequenceDataLoader, find_loader

    if people is None:
        return find_loader(path, time_delay=clips)
    if not path.is_dir():
        raise click.UsageError(
            "--people reads the paths of images: DATA must be a folder. Of a .csv file, "
            "subject_column in FILE.csv.toml names the column."
        )
    if clips is not None:
        return SequenceDataLoader(path, time_delay=clips, people=people)
    return DirectoryDataLoader(path, people=people)
