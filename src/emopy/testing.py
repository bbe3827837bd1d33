"""Checks for plug-ins: the tests of the built-in detectors, loaders and networks, for your own.

Each check raises an `AssertionError` that says what the plug-in did and what it must do, so that a
test of a plug-in is one line::

    def test_my_detector():
        check_detector(MyDetector())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from emopy.data.dataset import Dataset
from emopy.data.open import Loader
from emopy.data.split import Splits
from emopy.faces.detectors import Detector
from emopy.labels import canonical
from emopy.models import check_model_folder
from emopy.types import Face, RGBImage

if TYPE_CHECKING:
    from emopy.nets import Net

__all__ = ["check_detector", "check_loader", "check_model_folder", "check_net"]

_THREADS = 4


def check_detector(detector: Detector, images: Iterable[RGBImage] = ()) -> None:
    """Check that a detector fulfils its contract.

    It must accept any RGB image, not change it, return a tuple of `Face` with scores 0–1 and finite
    landmarks, be deterministic, and work in several threads at once.

    Args:
        detector: Takes an RGB image, returns a tuple of `Face`.
        images: (H, W, 3) uint8 each: images to test in addition to the generated ones; give some
            with faces.

    Raises:
        AssertionError: What it did, and what it must do.
    """
    tested = [*_generated_images(), *images]
    first = [_checked_faces(detector, image) for image in tested]
    with ThreadPoolExecutor(_THREADS) as pool:
        rounds = [list(pool.map(detector, tested)) for _ in range(2)]
    for again in rounds:
        for image, one, other in zip(tested, first, again, strict=True):
            _require(
                _as_numbers(one) == _as_numbers(other),
                "A detector must return the same faces each time, also from several threads. "
                f"It returned {one} and then {other} for an image of shape {image.shape}.",
            )


def check_loader(loader: Loader) -> None:
    """Check that a loader fulfils its contract.

    It must return a `Dataset` with faces of two or more labels, a source for each face, and the
    same data in the same order each time.

    Args:
        loader: Anything with ``load_data() -> Dataset``.

    Raises:
        AssertionError: What it did, and what it must do.
    """
    load: Callable[[], object] | None = getattr(loader, "load_data", None)
    _require(callable(load), f"A loader must have load_data(). {type(loader).__name__} has none.")
    data, again = loader.load_data(), loader.load_data()
    for loaded in (data, again):
        _require(
            isinstance(loaded, Dataset),
            f"load_data() must return a Dataset. It returned {type(loaded).__name__}.",
        )
    _require(len(data) > 0, "load_data() must return faces. It returned none.")
    distinct = {canonical(label) for label in data.labels}
    _require(
        2 <= len(distinct) == len(data.labels),
        f"`labels` must be two or more different names. They were {data.labels}.",
    )
    _require(
        all(str(source) for source in data.sources),
        "`sources` must name the source of each face. Some were empty.",
    )
    for name in ("images", "targets", "labels", "subject_ids", "sources"):
        _require(
            np.array_equal(getattr(data, name), getattr(again, name)),
            f"load_data() must return the same data each time. `{name}` differed. "
            "Sort what you list, and draw no random numbers.",
        )


def check_net(
    net: str | Net, *, input_shape: tuple[int, ...] = (48, 48, 1), classes: int = 7
) -> None:
    """Check that a network fulfils its contract. Needs the extra `train`.

    It must build for any number of labels, return logits, train for one step, be saved and loaded
    without your code, and export to a model folder whose ONNX file agrees with it.

    Args:
        net: Name of a network, or a function ``(input_shape, classes, **settings)``;
            `functools.partial` gives it settings.
        input_shape: (H, W, C) of a crop, or (T, H, W, C) of a clip, for the test.
        classes: Number of labels for the test.

    Raises:
        AssertionError: What it did, and what it must do.
        ModelError: It cannot be loaded without your code, or cannot be written as ONNX.
    """
    from emopy.nets import get_net
    from emopy.train import FitSettings, export, fit

    model = get_net(net)(input_shape, classes)
    for name, shape, wanted in (
        ("take", model.input_shape, (None, *input_shape)),
        ("return", model.output_shape, (None, classes)),
    ):
        _require(shape == wanted, f"A network must {name} {wanted}. This one has {shape}.")
    more = get_net(net)(input_shape, classes + 1).output_shape
    _require(
        more == (None, classes + 1),
        f"A network must build for any number of labels. Asked for {classes + 1} it has {more}.",
    )
    faces = _noise(input_shape, classes)
    before = np.asarray(model(np.float32(faces.images) / 255, training=False))
    _require(
        not (np.allclose(before.sum(axis=1), 1, atol=1e-3) and (before >= 0).all()),
        "A network must return logits. This one returned rows that sum to 1: leave out softmax.",
    )
    _require(np.isfinite(before).all(), "Logits must be finite. Some were not.")
    _require(
        (before < 0).any(),
        "A network must return logits. This one returned nothing below 0: leave out the "
        "activation of the last layer.",
    )
    run = fit(net, Splits.of(faces, faces), settings=FitSettings(epochs=1, batch_size=len(faces)))
    _require(
        np.isfinite(run.history[-1]["loss"]) and len(run.model.trainable_variables) > 0,
        f"A network must be trainable. After one step its loss was {run.history[-1]['loss']}.",
    )
    with TemporaryDirectory() as folder:
        check_model_folder(export(run, Path(folder) / "model", trainable="always"))


def _noise(shape: tuple[int, ...], classes: int) -> Dataset:
    """Labeled noise, two samples per label."""
    n = 2 * classes
    return Dataset(
        np.random.default_rng(0).integers(0, 256, (n, *shape), np.uint8),
        np.eye(classes, dtype=np.float32)[np.arange(n) % classes],
        tuple(f"label {i}" for i in range(classes)),
        np.full(n, ""),
        np.array([f"made-up:{i}" for i in range(n)]),
    )


def _generated_images() -> list[RGBImage]:
    """Images that break careless code: small, narrow, plain, noisy, read-only."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    fixed = noise.copy()
    fixed.flags.writeable = False
    return [
        np.zeros((1, 1, 3), np.uint8),
        np.full((2, 300, 3), 255, np.uint8),
        np.full((200, 3, 3), 127, np.uint8),
        noise,
        noise[::-1, ::-1],
        noise[:, :, ::-1],
        fixed,
    ]


def _checked_faces(detector: Detector, image: RGBImage) -> tuple[Face, ...]:
    before = image.copy()
    faces = detector(image)
    where = f"for an image of shape {image.shape}"
    _require(
        np.array_equal(before, image),
        f"A detector must not change the image. It changed pixels {where}.",
    )
    _require(
        isinstance(faces, tuple) and all(isinstance(face, Face) for face in faces),
        "A detector must return a tuple of Face, empty where there is none. It returned "
        f"{faces!r} {where}.",
    )
    for face in faces:
        _require(0 <= face.score <= 1, f"`score` must be 0 to 1. It was {face.score} {where}.")
        _require(
            face.landmarks is None or bool(np.isfinite(face.landmarks).all()),
            f"`landmarks` must be finite. They were {face.landmarks} {where}.",
        )
    return faces


def _as_numbers(faces: Sequence[Face]) -> list[tuple[object, ...]]:
    return [
        (face.box, face.score, None if face.landmarks is None else face.landmarks.tobytes())
        for face in faces
    ]


def _require(condition: object, message: str) -> None:
    # Not an `assert` statement: with python -O every check would pass.
    if not condition:
        raise AssertionError(message)
