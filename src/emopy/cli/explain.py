"""`emopy explain`: which pixels of a face raise or lower the probability of an emotion."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from emopy.cli.inputs import Source, create_model, find_sources, report_failed
from emopy.cli.interruption import START_AGAIN, on_stop
from emopy.cli.options import (
    FOLDER,
    max_pixels_option,
    model_options,
    overwrite_option,
    parse_emotions,
    results_option,
)
from emopy.cli.terminal import (
    echo,
    open_output,
    print_error,
    progress,
    text_width,
    tolerate_closed_stdout,
)
from emopy.errors import InputError, naming

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.explain import Explanation
    from emopy.fermodel import FERModel
    from emopy.types import FailedInput, ImageResult, RGBImage

METHODS = ("rise", "occlusion")
"""`emopy.explain.METHODS`, known without numpy."""

FORMATS = {"": "text", ".txt": "text", ".json": "json"}
"""Suffix of the file → format of the results."""


def parse_asked(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | list[str] | None:
    """Turn ``a,b`` into a list; `all` stays a word, and no emotion stays None."""
    return None if value is None else parse_emotions(context, parameter, value)


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH...")
@click.option("--recursive", is_flag=True, help="Search subfolders as well.")
@max_pixels_option
@model_options
@click.option("--of", "emotion", metavar="A,B,…", callback=parse_asked,
              help="Emotions to explain, or all.  [default: the predicted one]")  # fmt: skip
@click.option("--method", type=click.Choice(METHODS), default=METHODS[0],
              help="Masks: random (RISE), or one patch at a time.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N",
              help="Seed of the masks.")  # fmt: skip
@click.option("--format", type=click.Choice(["text", "json"]),
              help="Format of the results.  [default: by the suffix of --out, else "
              "text]")  # fmt: skip
@results_option
@click.option("--draw", type=FOLDER, help="Folder for images of the maps over the faces.")
@overwrite_option
@on_stop(START_AGAIN)
def explain(
    sources: tuple[str, ...],
    recursive: bool,
    emotion: str | list[str] | None,
    method: str,
    seed: int,
    format: str | None,
    out: Path | None,
    draw: Path | None,
    overwrite: bool,
    **options: Any,
) -> int:
    """Explain predictions by what raises or lowers them.

    PATH is an image, a folder of images, a pattern such as 'photos/*.jpg', or - for one image on
    stdin. Parts of each face are hidden to see how the probability changes. Text has the mean
    effect of three regions, JSON the maps. They say what the model reacts to, not what a person
    feels, nor whether the prediction is correct. Exit code 1 means that some images could not be
    read, or that there are none; those that could not be read are listed, and the others are done.
    """
    from emopy.media import DEFAULT_MAX_PIXELS, read_image
    from emopy.types import FailedInput

    max_pixels = options["max_pixels"] or DEFAULT_MAX_PIXELS
    chosen = choose_format(format, out)
    images = list(find_sources(sources, recursive=recursive))
    drawings = plan_outputs(images, out, draw, overwrite=overwrite)
    model = create_model(**options)
    check_emotion(model, emotion)

    def explain_faces(image: RGBImage, result: ImageResult) -> list[Explanation]:
        return [
            model.explain(image, emotion, face=face.face, method=method, seed=seed)
            for face in result.faces
        ]

    failed = 0
    with naming(path="--out") if out else nullcontext(), open_output(out) as stream:
        writer = JSONWriter(stream) if chosen == "json" else TextWriter(stream)
        busy = out is None and sys.stdout.isatty()
        results = model.predict_many(images, batch_size=1)  # the next image is read meanwhile
        for number, result in enumerate(progress(results, len(images), "Explaining", busy=busy)):
            explanations: list[Explanation] = []
            if isinstance(result, FailedInput):
                failed += 1
                print_error(result.error)
            elif result.faces:
                image = read_image(images[number], max_pixels=max_pixels)
                explanations = explain_faces(image, result)
                if drawings:
                    save_drawing(image, explanations, drawings[number])
            elif drawings:
                echo(f"emopy: {result.source} shows no face: nothing is drawn.", err=True)
            with tolerate_closed_stdout(also_writing=bool(drawings)):
                writer.write(result, explanations)
        writer.close()
    return report_failed(failed, len(images))


def plan_outputs(
    images: list[Source], out: Path | None, draw: Path | None, *, overwrite: bool
) -> list[Path]:
    """Return the drawing of each image; none without `draw`.

    Raises:
        InputError: An input or an existing file would be replaced.
    """
    from emopy.cli.outputs import drawing_files, protect_inputs, refuse_existing

    protect_inputs(images, out=out, draw=draw)
    drawings = drawing_files(draw, images) if draw else []
    refuse_existing({"--out": [out] if out else [], "--draw": drawings}, overwrite=overwrite)
    return drawings


def choose_format(format: str | None, out: Path | None) -> str:
    """Return the format that is asked for, or that of the suffix of the file.

    Raises:
        InputError: Another suffix.
    """
    if format:
        return format
    suffix = out.suffix.lower() if out else ""
    if suffix not in FORMATS:
        raise InputError(
            f"--out must end in .txt or .json. Received {out}. Choose another suffix, or add "
            "--format."
        )
    return FORMATS[suffix]


def check_emotion(model: FERModel, emotion: str | list[str] | None) -> None:
    """Refuse emotions that the model does not predict, before the first image is read."""
    import numpy as np

    from emopy.explain.perturbation import asked_labels
    from emopy.types import Prediction

    count = len(model.labels)
    asked_labels(emotion, Prediction(model.labels, np.full(count, 1 / count, np.float32)))


def save_drawing(image: RGBImage, explanations: list[Explanation], file: Path) -> None:
    """Write the maps over the faces of an image."""
    from emopy.explain import draw_explanations
    from emopy.present import save_image

    with naming(path="--draw"):
        save_image(draw_explanations(image, explanations), file)


class TextWriter:
    """Writes predictions as readable text, and below them the effect of each region.

    Failed inputs are left out: they are reported on stderr.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gap = ""

    def write(self, result: ImageResult | FailedInput, explanations: list[Explanation]) -> None:
        """Write the faces of one image."""
        from emopy.present import as_text, encodable
        from emopy.types import FailedInput

        if isinstance(result, FailedInput):
            return
        texts = [as_text(result, width=text_width())]
        texts += [explanation_text(each, number) for number, each in enumerate(explanations, 1)]
        text = encodable("\n\n".join(texts), self._stream.encoding)
        self._stream.write(f"{self._gap}{text}\n")
        self._stream.flush()
        self._gap = "\n"

    def close(self) -> None:
        """Text needs no end."""


class JSONWriter:
    """Writes a JSON array with one object per image, its faces each with an explanation."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._separator = "[\n"

    def write(self, result: ImageResult | FailedInput, explanations: list[Explanation]) -> None:
        """Write the faces of one image, or the error of a failed input."""
        record = result.to_dict()
        for face, explanation in zip(record["faces"], explanations, strict=True):
            face["explanation"] = explanation.to_dict()
        escaped = not (self._stream.encoding or "utf-8").lower().startswith("utf")
        text = json.dumps(record, ensure_ascii=escaped, allow_nan=False)
        self._stream.write(f"{self._separator}  {text}")
        self._stream.flush()
        self._separator = ",\n"

    def close(self) -> None:
        """Write the end of the array."""
        self._stream.write("[]\n" if self._separator == "[\n" else "\n]\n")


def explanation_text(explanation: Explanation, number: int) -> str:
    """Return the effect of each region on each emotion asked for, as lines of text."""
    from emopy.escaping import one_line

    lines: list[str] = []
    for emotion in explanation.maps:
        lines.append(
            f"  face {number} · what raises (+) and lowers (-) {one_line(emotion)}, log-odds"
        )
        regions = explanation.by_region(emotion)
        width = max(map(len, regions))
        lines += [f"    {name:<{width}}  {mean:+6.2f}" for name, mean in regions.items()]
    return "\n".join(lines)
