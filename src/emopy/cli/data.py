"""`emopy data`: describe, check, show, split and prepare labeled faces."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from emopy.cli.inputs import expand_splits, open_labeled, report_skipped
from emopy.cli.options import (
    ANY_PATH,
    FILE,
    FOLDER,
    Decorator,
    data_arguments,
    detector_option,
    max_pixels_option,
    num_frames_option,
    overwrite_option,
)
from emopy.cli.outputs import refuse_existing
from emopy.cli.terminal import CommandGroup, echo, echo_path, print_text, quiet_import
from emopy.errors import DataError, naming


@click.group(cls=CommandGroup)
def data() -> None:
    """Describe, check, show, split and prepare labeled faces.

    DATA is a .npz file written by `emopy data split` or `prepare`, a folder with one folder of
    images per emotion, or a .csv file with one face per row. `describe` and `check` also take a
    folder of splits, such as train/ and test/. FILE.csv#SPLIT takes the rows of
    one split only. FILE.csv.toml beside the file says what its columns and labels mean, if
    they are not those of FER2013 (see docs/data.md).
    """


@data.command()
@data_arguments
@num_frames_option
@max_pixels_option
@click.option("--image", type=FILE, help="File for a chart of the counts: .png, .svg or .pdf.")
@overwrite_option
def describe(paths: tuple[Path, ...], image: Path | None, overwrite: bool, **options: Any) -> int:
    """Summarize labeled faces: counts per emotion, image sizes.

    Exit code 1 means that some files or rows could not be read; they are listed.
    """
    from emopy.data import describe as describe_data
    from emopy.data import plot_counts

    refuse_existing({"--image": [image] if image else []}, overwrite=overwrite)
    places = expand_splits(paths)
    splits = {str(path): open_labeled(path, **options) for path in places}
    print_text(describe_data(splits))
    skipped = sum(sample.count for faces in splits.values() for sample in faces.skipped)
    if skipped:
        count = "1 file or row was" if skipped == 1 else f"{skipped:,} files or rows were"
        echo(f"emopy: {count} skipped, see above.", err=True)
    if image is not None:
        with naming(path="--image"):
            echo(f"emopy: chart written to {plot_counts(splits, image)}", err=True)
    commands = _next_commands(places, options["num_frames"], is_split=len(places) > len(paths))
    echo(f"emopy: next: {commands}", err=True)
    return 1 if skipped else 0


def _next_commands(paths: list[Path], num_frames: int | None, *, is_split: bool) -> str:
    """Return what to type after `describe`."""
    words = [str(path) for path in paths]
    words += ["--num-frames", str(num_frames)] if num_frames else []
    check = shlex.join(["emopy", "data", "check", *words])
    if is_split:
        return f"{check}, then, as it is split already: {_train_command(paths)}"
    if len(paths) > 1:
        return check
    words.insert(1, "splits")
    return f"{check}, then: {shlex.join(['emopy', 'data', 'split', *words])}"


def _train_command(splits: Sequence[Path]) -> str:
    """Return what to type to train with the split for training."""
    train = next((path for path in splits if "train" in path.name.lower()), splits[0])
    return f"emopy train RECIPE --set {shlex.quote(f'data.train={train}')}"


@data.command()
@data_arguments
@num_frames_option
@max_pixels_option
def check(paths: tuple[Path, ...], **options: Any) -> int:
    """Find duplicates, contradictory labels and leaks.

    Name the splits of a data set together to find images and subjects that are in more than one.
    ✗ marks what must be fixed; ? marks what is probable and worth a look: an image that is in
    another split resized, brightened, compressed or mirrored. Exit code 1 means that something
    must be fixed, or that some files or rows could not be read.
    """
    from emopy.data import check as check_data

    places = expand_splits(paths)
    splits = {str(path): open_labeled(path, **options) for path in places}
    report = check_data(splits)
    print_text(str(report))
    skipped = any(faces.skipped for faces in splits.values())
    return 1 if skipped or not report.ok else 0


@data.command()
@click.argument("path", type=ANY_PATH, metavar="DATA")
@num_frames_option
@max_pixels_option
@click.option("--recipe", metavar="RECIPE", help="Recipe whose data augmentation is shown.")
@click.option("--out", type=FILE, default=Path("sheet.png"), help="Image to write, .png or .jpg.")
@overwrite_option
@click.option("--rows", type=click.IntRange(min=1), default=8, metavar="N",
              help="Faces to show; the emotions alternate.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=0), default=8, metavar="N",
              help="Epochs to show.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="Replace a setting of the recipe, such as augment.flip=0.")  # fmt: skip
def show(
    path: Path,
    recipe: str | None,
    out: Path,
    overwrite: bool,
    rows: int,
    epochs: int,
    settings: tuple[str, ...],
    **options: Any,
) -> int:
    """Draw faces as they are, or as a recipe augments them.

    Exit code 1 means that some files or rows could not be read; they are listed, and the others
    are drawn.
    """
    from emopy.data import contact_sheet
    from emopy.present import save_image

    refuse_existing({"--out": [out]}, overwrite=overwrite)
    augmented: dict[str, Any] = {"columns": 0}
    if recipe is not None:
        with quiet_import():
            from emopy.train import load_recipe

        with naming(recipe="--recipe"):
            plan = load_recipe(recipe, settings)
        augmented = {"augmentation": plan.augment, "columns": epochs, "seed": plan.fit.seed}
        side = plan.data.size_px
        options |= {"size": (side, side), "channels": plan.data.channels}
        options["num_frames"] = options["num_frames"] or plan.data.num_frames or None
    elif settings:
        raise click.UsageError("--set changes a recipe. Name it with --recipe.")
    faces = open_labeled(path, **options)
    sheet = contact_sheet(faces, rows=rows, **augmented)
    with naming(path="--out"):
        echo(f"emopy: drawn in {save_image(sheet, out)}", err=True)
    return 1 if faces.skipped else 0


def _proportion(name: str, help: str) -> Decorator:
    kind = click.FloatRange(min=0, max=1)
    return click.option(name, type=kind, default=0.1, metavar="PROPORTION", help=help)


@data.command()
@click.argument("path", type=ANY_PATH, metavar="DATA")
@click.argument("out", type=FOLDER)
@overwrite_option
@num_frames_option
@max_pixels_option
@click.option("--subject-regex", metavar="REGEX",
              help="Subject ids: what this, or its first group, matches in the path of an "
              "image.")  # fmt: skip
@_proportion("--validation", "Faces to monitor the training with.")
@_proportion("--calibration", "Faces to fit the temperature on.")
@_proportion("--test", "Faces to evaluate the model on.")
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N",
              help="Seed of the random assignment.")  # fmt: skip
def split(
    path: Path,
    out: Path,
    overwrite: bool,
    num_frames: int | None,
    max_pixels: int | None,
    subject_regex: str | None,
    seed: int,
    **proportions: float,
) -> int:
    """Split faces into train, validation, calibration and test.

    Writes OUT/train.npz, validation.npz, calibration.npz and test.npz. No subject and no image is
    in two splits, and each split has nearly the same proportions of emotions. Exit code 1 means
    that some files or rows could not be read; they are listed.
    """
    from emopy.data import describe as describe_data
    from emopy.data import split as split_data
    from emopy.data.label_folders import split_folders

    if found := split_folders(path):
        raise DataError(
            f"DATA must be faces that are not split yet. Received {path}, which is split into "
            f"{', '.join(each.name for each in found)}. Train at once: {_train_command(found)}"
        )
    files = {name: out / f"{name}.npz" for name in ("train", *proportions)}
    refuse_existing({"OUT": [*files.values()]}, overwrite=overwrite)
    faces = open_labeled(
        path, num_frames=num_frames, subject_regex=subject_regex, max_pixels=max_pixels
    )
    splits = split_data(faces, seed=seed, **proportions)
    made = dict(splits.items())
    for name, file in files.items():
        with naming(path="OUT"):
            if name in made:
                made[name].save(file)
            else:
                file.unlink(missing_ok=True)  # of an earlier split, whose faces are elsewhere now
    print_text(describe_data(splits))
    return 1 if faces.skipped else 0


@data.group(cls=CommandGroup)
def prepare() -> None:
    """Convert FER+ or CK+ for training.

    Exit code 1 means that some of it could not be read; that is listed, and the rest is written.
    """


@prepare.command()
@click.argument("images_csv", type=FILE)
@click.argument("votes_csv", type=FILE)
@click.argument("out", type=FOLDER)
@click.option("--calibration", type=click.IntRange(min=1), default=2500, metavar="N",
              help="Training faces to hold out for calibration.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N",
              help="Seed of the random choice of these.")  # fmt: skip
@click.option("--as", "layout", type=click.Choice(["npz", "folders"]), default="npz",
              help="A file per split, or a folder per emotion.")  # fmt: skip
@click.option("--unknown", type=click.Choice(["drop", "spread"]), default="drop",
              help='"Unknown" votes of training faces: dropped, with the faces that have mostly '
              "such votes, or spread uniformly.")  # fmt: skip
def ferplus(images_csv: Path, votes_csv: Path, out: Path, **options: Any) -> int:
    """Write the splits of FER+ without duplicates.

    IMAGES_CSV is fer2013.csv, VOTES_CSV is fer2013new.csv. Images in folders have one emotion
    each; the votes of the training faces are kept in .npz files only.
    """
    from emopy.data import prepare_ferplus, read_ferplus

    faces = read_ferplus(images_csv, votes_csv)
    report_skipped(*faces.skipped)
    with naming(path="OUT"):
        report = prepare_ferplus(faces, out, **options)
    print_text(str(report))
    return 1 if faces.skipped else 0


@prepare.command()
@click.argument("folder", type=FOLDER)
@click.argument("out", type=FOLDER)
@click.option("--as", "kind", type=click.Choice(["stills", "clips"]), default="stills",
              help="Still images, or clips.")  # fmt: skip
@click.option("--peaks", type=click.IntRange(min=1), default=3, metavar="N",
              help="For stills: last frames of each clip to use, which show its "
              "emotion.")  # fmt: skip
@click.option("--first", type=click.Choice(["neutral", "skip"]), default="neutral",
              help="For stills: how to use the first frame.")  # fmt: skip
@detector_option
def ckplus(folder: Path, out: Path, **options: Any) -> int:
    """Write the faces of CK+ as one folder per emotion.

    FOLDER holds the unpacked cohn-kanade-images and Emotion. The license of CK+ forbids to pass
    it on: the output is for the licensee alone.
    """
    from emopy.data import convert_ckplus

    with naming(path="FOLDER"):
        report = convert_ckplus(folder, out, **options)
    report_skipped(*report.skipped)
    print_text(str(report))
    return 1 if report.skipped else 0


@data.command()
@click.argument("out", type=FOLDER)
def samples(out: Path) -> None:
    """Write sample faces to try training and evaluation with.

    OUT, a new or empty folder, receives 448 still images and 224 clips of composite faces in seven
    emotions, in every layout that can be read, split into train and test. They show no real
    person.
    """
    from emopy.samples import write_samples

    with naming(folder="OUT"):
        echo_path(write_samples(out))
