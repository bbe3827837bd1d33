"""What was typed → images, a model, or labeled faces."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emopy.cli.terminal import echo, print_error
from emopy.errors import InputError, naming

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.data import Dataset, SkippedSample
    from emopy.faces import BoxTable
    from emopy.fermodel import FERModel
    from emopy.media import Video

Source = str | BytesIO
"""Path of an image, or what came on stdin, with the name ``-``, or through a pipe."""


def find_sources(paths: tuple[str, ...], *, recursive: bool) -> Iterator[Source]:
    """Yield the images that paths stand for; a folder without images is only mentioned."""
    from emopy.media import find_images, match_images
    from emopy.media.paths import is_pattern

    for path in paths:
        if path == "-":
            yield _read_stdin()
            continue
        if not path:
            raise InputError("PATH must not be empty. Type an image, a folder, or - for stdin.")
        if "://" in path:  # a `Path` would lose a slash of a URL
            yield path
            continue
        if _is_pipe(path):
            yield _read_pipe(path)
            continue
        if is_pattern(path):  # in quotes, or in a shell that does not expand it
            with naming(pattern="PATH"):
                found = match_images(path, recursive=recursive)
            # Without a match the pattern itself is an input that cannot be read.
            yield from (str(image) for image in found or [path])
            continue
        found = find_images([path], recursive=recursive)
        if not found:
            echo(f"emopy: no images in {path}{_instead(path, recursive=recursive)}", err=True)
        yield from (str(image) for image in found)


def _instead(folder: str, *, recursive: bool) -> str:
    """Return the end of a sentence about a folder without images: what to type instead."""
    from emopy.media.paths import find_videos

    if videos := find_videos(folder):
        count = f"{len(videos):,} {'video' if len(videos) == 1 else 'videos'}"
        return f", but {count}. Type: {shlex.join(['emopy', 'video', folder])}"
    return "." if recursive else ". Type --recursive to search its subfolders."


def _read_stdin() -> BytesIO:
    if sys.stdin is None:
        raise InputError("- needs an image on stdin. Received a closed one. Type: … < image.jpg")
    image = BytesIO(sys.stdin.buffer.read())
    image.name = "-"
    return image


def _is_pipe(path: str) -> bool:
    try:
        return Path(path).is_fifo()
    except (OSError, ValueError):  # reading it gives the reason
        return False


def _read_pipe(path: str) -> Source:
    """Read a pipe, which gives its content only once, such as ``<(command)`` of a shell."""
    try:
        image = BytesIO(Path(path).read_bytes())
    except OSError:
        return path
    image.name = path
    return image


def open_boxes(path: Path, images: Sequence[Source]) -> BoxTable:
    """Return the faces in a table; images that are only there, or not there, are mentioned."""
    from emopy.faces import read_boxes
    from emopy.media import describe_source

    names = [describe_source(image) for image in images]
    with naming(path="--boxes"):
        table = read_boxes(path).named_as(names)
    if others := table.others(names):
        where = f"{len(others):,} of its {len(table):,} images, the first {others[0]!r}"
        if names and len(others) == len(table):
            raise InputError(
                f"--boxes must name the images. Received {path}, in which no row does: it has "
                f"{others[0]!r}, and the first image is {names[0]!r}."
            )
        echo(f"emopy: {path}: {where}, are not among the images.", err=True)
    if missing := table.missing(names):
        echo(
            f"emopy: {path} has no row for {len(missing):,} of {len(names):,} images, the first "
            f"{missing[0]!r}. They count as images without a face.",
            err=True,
        )
    return table


def find_video_sources(sources: Iterable[str]) -> list[str]:
    """Return the videos that paths and addresses stand for: a folder of videos is replaced by them.

    A folder of images stays: it is a folder of frames.

    Raises:
        InputError: A folder with both.
    """
    from emopy.media import find_images
    from emopy.media.paths import find_videos

    found: list[str] = []
    for source in sources:
        is_folder = "://" not in source and os.path.isdir(source)  # noqa: PTH112  never raises
        videos = find_videos(source) if is_folder else []
        if videos and (images := find_images(source)):
            raise InputError(
                f"SOURCE must be a folder either of videos or of frames. Received {source}, which "
                f"holds both: {len(videos)} of videos ({videos[0].name}, …) and {len(images)} of "
                f"images ({images[0].name}, …). For the videos move the images to another folder, "
                f"or type for example: {Path(source, '*' + videos[0].suffix)}"
            )
        found += map(str, videos) if videos else [source]
    return found


def mention_frames(folder: str, fps: float | None) -> None:
    """Print that the images in a folder are read as frames, at which rate; else nothing."""
    from emopy.media import find_images
    from emopy.media.image_sequences import DEFAULT_FPS

    if "://" in folder or not os.path.isdir(folder) or not (images := find_images(folder)):  # noqa: PTH112
        return
    if images == [Path(folder)]:  # it cannot be listed; opening it gives the reason
        return
    count = "1 image is" if len(images) == 1 else f"{len(images):,} images are"
    echo(
        f"emopy: {folder}: {count} read as the frames of one video at {fps or DEFAULT_FPS:g} "
        f"frames per second. For separate photos type: {shlex.join(['emopy', 'predict', folder])}",
        err=True,
    )


def create_model(
    target_emotions: str | list[str],
    model: str | None,
    detector: str = "mtcnn",
    min_face_size: int | None = None,
    min_face_score: float | None = None,
    max_pixels: int | None = None,
    **options: Any,
) -> FERModel:
    """Return the `FERModel` that the options ask for, each None replaced by its default."""
    from emopy.faces.detectors import detector_with_threads
    from emopy.fermodel import FERModel
    from emopy.media import DEFAULT_MAX_PIXELS
    from emopy.models import DEFAULT_MODEL

    asked = {"min_face_size": min_face_size, "min_score": min_face_score}
    settings = {name: value for name, value in asked.items() if value is not None}
    with naming(min_score="--min-face-score"):
        finder = detector_with_threads(detector, options.get("threads"), **settings)
    return FERModel(
        target_emotions,
        model=model or DEFAULT_MODEL,
        detector=finder,
        max_pixels=max_pixels or DEFAULT_MAX_PIXELS,
        providers=options.pop("providers", None) or None,
        **options,
    )


def report_failed(failed: int, count: int) -> int:
    """Report how many of some images could not be read; return 1 if any, or without an image."""
    if failed and count > 1:
        echo(f"emopy: {failed} of {count} images could not be read.", err=True)
    return 1 if failed or not count else 0


def report_shortfall(video: Video) -> int:
    """Report what is missing of a video; return 1 for its end, or images of another size."""
    for failed in video.failed:
        print_error(failed.error)
    if video.shortfall:
        echo(f"emopy: {video.shortfall}", err=True)
    return 1 if is_incomplete(video) else 0


def is_incomplete(video: Video) -> bool:
    """Return whether the end of a video is missing, or images of another size were skipped."""
    return video.truncated or video.other_sizes > 0


def expand_splits(paths: Iterable[Path]) -> list[Path]:
    """Return the paths, with each folder of splits replaced by its splits."""
    from emopy.data.label_folders import split_folders

    return [place for path in paths for place in (split_folders(path) or (path,))]


def open_labeled(path: Path, *, max_pixels: int | None = None, **options: Any) -> Dataset:
    """Load labeled faces as `open_data` does, and report each file or row that was skipped."""
    from emopy.data import open_data
    from emopy.media import DEFAULT_MAX_PIXELS

    options["max_pixels"] = max_pixels or DEFAULT_MAX_PIXELS
    names = {"num_frames": "--num-frames", "subject_regex": "--subject-regex"}
    with naming(path="DATA", **names):
        data = open_data(path, **options)
    report_skipped(*data.skipped)
    return data


def open_labeled_for(model: str, path: Path, *, max_pixels: int | None) -> Dataset:
    """Load labeled faces in the size, channels and clip length of a model."""
    from emopy.models import find_model
    from emopy.models.store import read_card

    with naming(model="MODEL"):
        spec = read_card(find_model(model)).input
    return open_labeled(
        path,
        num_frames=spec.frames if spec.frames > 1 else None,
        size=(spec.height, spec.width),
        channels=spec.channels,
        max_pixels=max_pixels,
    )


def report_skipped(*skipped: SkippedSample) -> None:
    """Print on stderr which files or rows were skipped, and why."""
    for sample in skipped:
        print_error(InputError(str(sample)))
