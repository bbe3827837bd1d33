"""`emopy demo`: predict the packaged sample images."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.inputs import create_model
from emopy.cli.options import FOLDER, emotions_option, model_option, overwrite_option
from emopy.cli.outputs import draw_result, drawing_files, refuse_existing
from emopy.cli.terminal import TextSink, echo, tolerate_closed_stdout
from emopy.errors import InputError

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.types import RGBImage

GAP_PX = 12
"""Space around each image of the contact sheet."""

SHEET_GRAY = 128
"""Gray level of the background of the contact sheet."""


@click.command()
@emotions_option()
@model_option
@click.option("--draw", type=FOLDER, help="Folder for annotated images and a sheet of all.")
@overwrite_option
def demo(
    target_emotions: str | list[str], model: str | None, draw: Path | None, overwrite: bool
) -> None:
    """Predict the packaged sample images.

    Each image is the average of many faces that show one emotion; it shows no real person.
    """
    from emopy.labels import canonical
    from emopy.media import read_image
    from emopy.present import save_image
    from emopy.samples import sample_images

    predictor = create_model(target_emotions, model)
    images = {
        label: path
        for emotion, path in sample_images().items()
        for label in predictor.labels
        if canonical(label) == emotion
    }
    if not images:
        raise InputError(
            "MODEL must know an emotion that the samples show. Received one that knows "
            f"{', '.join(predictor.labels)}. Type for example: emopy demo"
        )
    files = [] if draw is None else drawing_files(draw, [*map(str, images.values()), "demo"])
    refuse_existing({"--draw": files}, overwrite=overwrite)
    as_labeled = 0
    with TextSink(None) as sink:
        for number, (label, path) in enumerate(images.items()):
            result = predictor.predict(path)
            with tolerate_closed_stdout(also_writing=bool(files)):
                sink.write(replace(result, source=path.name))
            as_labeled += [face.emotion for face in result.faces] == [label]
            if files:
                draw_result(str(path), result, files[number], expand=True)
    if files:
        sheet = save_image(image_grid([read_image(file) for file in files[:-1]]), files[-1])
        echo(f"emopy: drawn in {sheet}", err=True)
    echo(f"emopy: {as_labeled} of {len(images)} predicted as labeled. ", err=True, nl=False)
    echo("Next: emopy predict YOUR-PHOTO", err=True)


def image_grid(images: list[RGBImage]) -> RGBImage:
    """Return images (H, W, 3) of any sizes in rows on gray, about twice as wide as high."""
    import numpy as np

    height = max(image.shape[0] for image in images) + GAP_PX
    width = max(image.shape[1] for image in images) + GAP_PX
    columns = math.ceil(math.sqrt(2 * len(images) * height / width))
    rows = math.ceil(len(images) / columns)
    shape = (rows * height + GAP_PX, columns * width + GAP_PX, 3)
    sheet = np.full(shape, SHEET_GRAY, dtype=np.uint8)
    for index, image in enumerate(images):
        top = GAP_PX + index // columns * height
        left = GAP_PX + index % columns * width
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    return sheet
