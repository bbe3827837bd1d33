"""`run_unit`: predict the inputs of a shard, or of a piece of it, and write their rows."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any

from emopy.batch.plan import Plan, read_inputs, read_plan
from emopy.batch.sources import Input, kind_of
from emopy.batch.storage import Storage, is_address
from emopy.errors import EmoPyError, InputError, ModelError
from emopy.faces import get_detector
from emopy.fermodel import FERModel
from emopy.media import open_video
from emopy.present import open_table
from emopy.types import FailedInput, ImageResult

_AHEAD = 8
"""Objects of a store that are fetched while others are predicted."""

Results = Iterator[ImageResult | FailedInput]


@dataclass(frozen=True, slots=True)
class Unit:
    """A shard, or a piece of one.

    Attributes:
        shard: Number of the shard.
        start: First input, or first image of an archive.
        stop: The one after the last; None: to the end.
        target: Name of the object to write.
    """

    shard: int
    start: int
    stop: int | None
    target: str


def create_model(settings: Mapping[str, Any]) -> FERModel:
    """Return the model that the settings of a plan describe.

    Raises:
        EmoPyError: It cannot be made.
    """
    given = {"min_face_size": settings["min_face_size"], "min_score": settings["min_face_score"]}
    detector = {name: value for name, value in given.items() if value is not None}
    names = ("target_emotions", "model", "prior", "min_confidence", "max_pixels")
    return FERModel(
        **{name: settings[name] for name in names},
        detector=get_detector(settings["detector"], **detector),
    )


def run_unit(out: str, unit: Unit) -> None:
    """Predict the inputs of a unit and write their rows as one Parquet object.

    The model stays loaded in the process for the next unit.

    Raises:
        InputError: The plan, or a listed archive, cannot be read, or the object not be written.
        ModelError: The model here is not the one of the plan.
    """
    storage, plan, model = _prepared(out)
    found = read_inputs(storage, unit.shard)
    if [each.kind for each in found] == ["archive"]:
        results = _archive_results(found[0], model, unit)
    else:
        results = _results(found[unit.start : unit.stop], model, plan.settings)
    write_results(storage, unit.target, results, model.labels)


def write_failure(out: str, unit: Unit, reason: str) -> None:
    """Write a unit of one input as a row with an error."""
    storage, _, model = _prepared(out)
    found = read_inputs(storage, unit.shard)
    if [each.kind for each in found] == ["archive"]:
        name = next(islice(_members(found[0].path), unit.start, None))[0]
    else:
        name = found[unit.start].path
    write_results(storage, unit.target, iter([FailedInput(name, InputError(reason))]), model.labels)


def count_images(out: str, shard: int) -> int:
    """Return how many inputs a shard has; of an archive, how many images are in it."""
    found = read_inputs(Storage(out), shard)
    if [each.kind for each in found] == ["archive"]:
        return sum(1 for _ in _members(found[0].path))
    return len(found)


def write_results(storage: Storage, target: str, results: Results, labels: Sequence[str]) -> None:
    """Write results as one Parquet object."""
    file = io.BytesIO()
    with open_table(file, labels, format="parquet") as table:
        for result in results:
            table.write(result)
    storage.write(target, file.getbuffer())


@lru_cache(maxsize=1)
def _prepared(out: str) -> tuple[Storage, Plan, FERModel]:
    storage = Storage(out)
    plan = read_plan(storage)
    model = create_model(plan.settings)
    if model.card.checksum != plan.settings["model_sha256"]:
        raise ModelError(
            f"`model` must be the one of the plan. Received {model.card.name!r} with other weights "
            "or another card. Install the same model on every machine."
        )
    return storage, plan, model


def _results(found: Iterable[Input], model: FERModel, settings: Mapping[str, Any]) -> Results:
    """Predict inputs in their order."""
    images: list[Input] = []
    for each in found:
        if each.kind == "image":
            images.append(each)
            continue
        yield from _image_results(images, model)
        images = []
        yield from _video_results(each, model, settings)
    yield from _image_results(images, model)


def _image_results(images: Sequence[Input], model: FERModel) -> Results:
    # One by one: what a model of floats predicts may depend on the batch in the last digits.
    yield from model.predict_many(_opened([each.path for each in images]), batch_size=1)


def _opened(paths: Sequence[str]) -> Iterator[Any]:
    """Yield paths of this machine as they are, and objects of a store as files, fetched ahead."""
    if not any(map(is_address, paths)):
        yield from paths
        return
    waiting: deque[Any] = deque()
    with ThreadPoolExecutor(_AHEAD, thread_name_prefix="emopy-fetch") as threads:
        for path in paths:
            waiting.append(
                _Object(path, threads.submit(_fetch, path)) if is_address(path) else path
            )
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting


class _Object:
    """An object of a store, as a file that is read once; a failure shows when it is read."""

    def __init__(self, name: str, content: Future[bytes]) -> None:
        self.name = name
        self._content = content

    def read(self) -> bytes:
        """Return the content."""
        return self._content.result()


def _fetch(address: str) -> bytes:
    return _store_of(address.rpartition("/")[0]).read(address.rpartition("/")[2])


@lru_cache(maxsize=64)
def _store_of(folder: str) -> Storage:
    return Storage(folder)


def _video_results(video: Input, model: FERModel, settings: Mapping[str, Any]) -> Results:
    """Predict a video; what is missing of it is a failed input at its end."""
    path = video.path
    reading = {name: settings[name] for name in ("every", "fps", "start_s", "end_s")}
    try:
        with _on_this_machine(video.path) as path:
            with open_video(path, max_pixels=model.max_pixels, **reading) as frames:
                results = model.predict_frames(
                    frames, source=video.path, smoothing_s=settings["smoothing_s"]
                )
                for _, result in results:
                    yield result
            if frames.shortfall:
                raise InputError(frames.shortfall)
    except EmoPyError as error:
        yield FailedInput(video.path, InputError(str(error).replace(path, video.path)))


@contextmanager
def _on_this_machine(path: str) -> Generator[str]:
    """Give the path of a video; one in a store is copied into a temporary file."""
    if not is_address(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="emopy-") as folder:
        copy = Path(folder, "video" + PurePosixPath(path).suffix)
        copy.write_bytes(_fetch(path))
        yield str(copy)


def _archive_results(archive: Input, model: FERModel, unit: Unit) -> Results:
    """Predict the images of a tar file in their order."""

    def files() -> Iterator[io.BytesIO]:
        for name, read in islice(_members(archive.path), unit.start, unit.stop):
            file = io.BytesIO(read())
            file.name = name
            yield file

    try:
        yield from model.predict_many(files(), batch_size=1)
    except (tarfile.TarError, EOFError) as error:
        reason = f"`source` must be a whole tar file. Received {archive.path!r}: {error}."
        yield FailedInput(archive.path, InputError(reason))


def _members(path: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the name of each image of a tar file, and how to read it."""
    storage = Storage(path)
    with storage.open() as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            if member.isfile() and kind_of(member.name) == "image":
                file: IO[bytes] | None = archive.extractfile(member)
                if file is not None:
                    yield f"{path}/{member.name}", file.read
