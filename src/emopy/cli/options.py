"""Options of several verbs, and the parsing of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from emopy.errors import InputError
from emopy.labels import split_labels

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
ANY_PATH = click.Path(path_type=Path)


def parse_emotions(
    context: click.Context, parameter: click.Parameter, value: str
) -> str | list[str]:
    """Turn ``a,b`` into a list; `standard` and `all` stay words."""
    del context, parameter
    labels = split_labels(value)
    if isinstance(labels, list) and len(labels) == 1 and "," in value:
        raise click.BadParameter(
            f"the labels must stand without spaces, or in quotes. Received {value!r}. "
            f"Type for example: --emotions {labels[0]},neutral"
        )
    return labels


def parse_prior(
    context: click.Context, parameter: click.Parameter, value: str
) -> str | Mapping[str, float]:
    """Turn ``anger=0.2,calm=0.8`` into probabilities; other words stay words."""
    del context, parameter
    if "=" not in value:
        return value.strip().lower()
    from emopy.models.prior import split_prior

    try:
        return split_prior(value)
    except InputError as error:
        raise click.BadParameter(str(error).replace("`prior` ", "it ")) from None


class Time(click.ParamType):
    """A time: seconds, minutes and seconds, or hours, minutes and seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Turn ``1:02:03.5`` into 3723.5."""
        try:
            fields = [float(field) for field in str(value).split(":")]
        except ValueError:
            fields = []
        if not 1 <= len(fields) <= 3 or not all(field >= 0 for field in fields):
            self.fail(f"{value!r} is no time. Type for example: 90, or 1:30", param, ctx)
        return sum(field * 60**power for power, field in enumerate(reversed(fields)))


def none_for_stdout(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Turn ``-``, which stands for stdout in many commands, into None."""
    del context, parameter
    return None if value == Path("-") else value


def refuse_parquet_on_stdout(format: str | None, out: Path | None) -> None:
    """Refuse Parquet without a file."""
    if format == "parquet" and out is None:
        raise InputError(
            "--format parquet must go with --out. Type for example: --out faces.parquet"
        )


def emotions_option(name: str = "target_emotions", *, default: str = "standard") -> Decorator:
    """Return `--emotions`; its argument in Python and its default differ between verbs."""
    return click.option("--emotions", name, default=default, metavar="A,B,…",
                        callback=parse_emotions, help="Labels to choose among: two or more, or "
                        "standard, or all.")  # fmt: skip


def prior_option(*, default: str = "tempered") -> Decorator:
    """Return `--prior`, whose default differs between prediction and evaluation."""
    return click.option("--prior", default=default, metavar="PRIOR", callback=parse_prior,
                        help="How often each emotion is expected: training, uniform, tempered "
                        "(training to the power 2/3), or a probability for each of --emotions, "
                        "such as anger=0.2,neutral=0.8 for anger,neutral")  # fmt: skip


model_option: Decorator = click.option("--model", metavar="MODEL",
    help="Name of a model, or a model folder.  [default: the bundled model]")  # fmt: skip
detector_option: Decorator = click.option("--detector", default="mtcnn", metavar="NAME",
    help="Face detector; full-image takes each image as one face.")  # fmt: skip
min_face_size_option: Decorator = click.option("--min-face-size", type=click.IntRange(min=12),
    metavar="PIXELS", help="Smallest face to find, side in pixels.  [default: 24, or more above "
    "one megapixel; a large face ends the search]")  # fmt: skip
min_face_score_option: Decorator = click.option("--min-face-score",
    type=click.FloatRange(0, 1, min_open=True, max_open=True), metavar="SCORE",
    help="Score of the detector from which a face counts, between 0 and 1.  [default: 0.8 for "
    "mtcnn, 0.7 for yunet]")  # fmt: skip
min_confidence_option: Decorator = click.option("--min-confidence", default=0.0,
    type=click.FloatRange(0, 1), metavar="PROBABILITY",
    help='Confidence below which the emotion is "not sure".')  # fmt: skip
views_option: Decorator = click.option("--views", default=1, type=click.IntRange(1, 2), metavar="N",
    help="2: predict each face and its mirror image, and return their mean; takes longer, and is "
    "more accurate.")  # fmt: skip
smoothing_option: Decorator = click.option("--smoothing", "smoothing_s", default=0.3,
    type=click.FloatRange(min=0), metavar="SECONDS",
    help="Time constant of the smoothing of probabilities; 0: none.")  # fmt: skip
threads_type = click.IntRange(min=1, max=1024)
pixels_type = click.IntRange(min=1, max=10**10)
threads_option: Decorator = click.option("--threads", default=1, type=threads_type,
    metavar="N", help="CPU threads of each prediction.")  # fmt: skip
reading_threads_option: Decorator = click.option("--threads", type=threads_type,
    metavar="N", help="CPU threads that read images and detect faces, and threads of each run "
    "of the model.  [default: one per core for the first, 1 for the second]")  # fmt: skip
providers_option: Decorator = click.option("--provider", "providers", multiple=True,
    metavar="NAME", help="Where the model runs: cpu, cuda, coreml, directml or openvino; give it "
    "once for each, in order of preference.  [default: cpu]")  # fmt: skip
max_pixels_option: Decorator = click.option("--max-pixels", type=pixels_type,
    metavar="N", help="Largest image or frame, width times height in pixels.  [default: "
    "100000000]")  # fmt: skip
every_option: Decorator = click.option("--every", type=click.IntRange(min=1), default=1,
    metavar="N", help="Process every N-th frame of a video.")  # fmt: skip
start_option: Decorator = click.option("--start", "start_s", type=Time(), default="0",
    help="Where to start in a video: seconds, or 1:02:03.")  # fmt: skip
end_option: Decorator = click.option("--end", "end_s", type=Time(),
    help="Where to stop in a video: seconds, or 1:02:03.  [default: the end]")  # fmt: skip
text_or_json_option: Decorator = click.option("--format", default="text",
    type=click.Choice(["text", "json"]), help="Text for people, or JSON.")  # fmt: skip
num_frames_option: Decorator = click.option("--num-frames", type=click.IntRange(min=2), metavar="N",
    help="Load clips, one folder each: their last N frames.  [default: still images]")  # fmt: skip
overwrite_option: Decorator = click.option("--overwrite", is_flag=True,
    help="Replace existing files.")  # fmt: skip
results_option: Decorator = click.option("--out", type=FILE, callback=none_for_stdout,
    help="File for the results.  [default: stdout]")  # fmt: skip

data_arguments: Decorator = click.argument("paths", type=ANY_PATH, nargs=-1, required=True,
    metavar="DATA...")  # fmt: skip

_MODEL_OPTIONS = (
    emotions_option(),
    model_option,
    detector_option,
    min_face_size_option,
    min_face_score_option,
    prior_option(),
    min_confidence_option,
    views_option,
    providers_option,
)


def model_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `create_model` takes, in this order."""
    return one_thread_model_options(threads_option(verb))


def reading_model_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same options for verbs that read ahead, with all cores by default."""
    return one_thread_model_options(reading_threads_option(verb))


def one_thread_model_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same options for verbs whose processes have one thread each."""
    for option in reversed(_MODEL_OPTIONS):
        verb = option(verb)
    return verb
