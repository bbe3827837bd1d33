"""`emopy demo`: the first thing a newcomer types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from emopy.cli.options import FOLDER, emotions_option, model_option


@click.command()
@emotions_option()
@model_option
@click.option("--draw", type=FOLDER, help="Write the images, marked, and a sheet of all, here.")
def demo(emotions: str | list[str], model: str | None, draw: Path | None) -> None:
    """Read the sample images in the package.

    Each is the average of many faces that show one emotion, so it shows nobody.
    """
    from emopy.cli.drawing import Drawings
    from emopy.cli.inputs import load
    from emopy.cli.sinks import open_sink
    from emopy.labels import canonical
    from emopy.samples import sample_images

    reader = load(emotions, model)
    images = {
        label: path
        for emotion, path in sample_images().items()
        for label in reader.labels
        if canonical(label) == emotion
    }
    drawings = Drawings(draw) if draw else None
    as_expected = 0
    with open_sink("text", None, reader.labels) as sink:
        for label, path in images.items():
            result = reader.predict(path)
            sink.write(replace(result, source=path.name))
            as_expected += [face.emotion for face in result.faces] == [label]
            if drawings:
                drawings.add(str(path), result)
    if drawings:
        click.echo(f"emopy: drawn on {drawings.add_sheet('demo')}", err=True)
    click.echo(f"emopy: {as_expected} of {len(images)} read as labelled. ", err=True, nl=False)
    click.echo("Next, type: emopy predict YOUR-PICTURE", err=True)
