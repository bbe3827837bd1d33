"""What each kind of input is given to, and what must then hold."""

import random
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from emopy import FERModel
from emopy.data import CSVDataLoader, check, describe, load_dataset
from emopy.errors import EmoPyError
from emopy.media import open_video, read_image
from emopy.models import load_model
from emopy.models.store import check_model_folder
from tests.fuzz import corpus
from tests.fuzz.mutations import (
    damage_bytes,
    damage_json,
    damage_npz,
    damage_png,
    damage_text,
)

MAX_FRAMES = 40

Damage = Callable[[bytes, random.Random, bytes], bytes]


@dataclass(frozen=True)
class Target:
    """A kind of input.

    Attributes:
        seeds: Whole files by name.
        damage: (content, rng, other content) → damaged content.
        use: Reads the damaged file; raises `EmoPyError` or checks what it got.
    """

    seeds: Mapping[str, bytes]
    damage: Damage
    use: Callable[[Path, random.Random], None]

    def try_one(self, seed: int, folder: Path) -> str:
        """Damage one file and use it. Returns "read" or "refused".

        Raises:
            Anything but an `EmoPyError` with a plain message: a fault.
        """
        rng = random.Random(seed)
        name = rng.choice(sorted(self.seeds))
        other = self.seeds[rng.choice(sorted(self.seeds))]
        path = folder / name
        path.write_bytes(self.damage(self.seeds[name], rng, other))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self.use(path, rng)
        except EmoPyError as error:
            _check_message(str(error))
            return "refused"
        finally:
            path.unlink(missing_ok=True)
        return "read"


def _check_message(text: str) -> None:
    assert text.strip(), "an error without a message"
    assert len(text) < 5000, f"a message of {len(text)} characters"
    assert all(char.isprintable() or char == "\n" for char in text), ascii(text)


def _damage_image(content: bytes, rng: random.Random, other: bytes) -> bytes:
    is_png = content.startswith(b"\x89PNG")
    return (damage_png if is_png and rng.random() < 0.7 else damage_bytes)(content, rng, other)


def _use_image(path: Path, rng: random.Random) -> None:
    source = path if rng.random() < 0.5 else path.read_bytes()
    image = read_image(source, max_pixels=4_000_000)
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.dtype == np.uint8


def _use_video(path: Path, rng: random.Random) -> None:
    start_s = rng.choice((0.0, 0.0, 0.35, 0.8))
    last = (-1, -1.0)
    with open_video(str(path), start_s=start_s) as video:
        for count, frame in enumerate(video):
            assert frame.image.dtype == np.uint8
            assert (frame.number, frame.time_s) > last, "numbers and times must increase"
            assert np.isfinite(frame.time_s)
            last = (frame.number, frame.time_s)
            if count == MAX_FRAMES:
                break


def _predict_once(folder: Path) -> None:
    model = FERModel(model=folder)
    crops = np.zeros((2, *model.card.input.shape), np.uint8)
    for prediction in model.predict_faces(list(crops)):
        assert np.isfinite(prediction.probabilities).all()
        assert abs(float(prediction.probabilities.sum()) - 1) < 1e-3


class _ModelFolder:
    """Uses a damaged file as a part of an otherwise whole model folder."""

    def __init__(self, name: str, read: Callable[[Path], object]) -> None:
        self.name, self.read = name, read
        self.files = corpus.model_files()
        self.folder = Path(mkdtemp(prefix="fuzz-model-"))

    def __call__(self, path: Path, rng: random.Random) -> None:
        files = self.files | {self.name: path.read_bytes()}
        if self.name != "card.json":
            # As if the sender had changed the checksum too.
            old, new = (sha256(x[self.name]).hexdigest() for x in (self.files, files))
            files["card.json"] = files["card.json"].replace(old.encode(), new.encode())
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        self.read(self.folder)


def _use_data_set(path: Path, rng: random.Random) -> None:
    data = load_dataset(path)
    assert len(data.images) == len(data.targets)
    describe(data)


def _use_table(path: Path, rng: random.Random) -> None:
    data = CSVDataLoader(path).load_data()
    assert len(data.images) == len(data.targets)
    describe(data)
    check(data)


def _recipes() -> Target:
    # Here, not when it is used: it imports Keras, whose warnings are not about the input.
    from emopy.train.recipe import load_recipe

    return Target(corpus.recipes(), damage_text, lambda path, _: load_recipe(path))


def _run_model(folder: Path) -> None:
    loaded = load_model(folder)
    crops = np.zeros((2, *loaded.card.input.shape), np.uint8)
    assert np.isfinite(loaded.logits(crops)).all()


def _damage_npz(content: bytes, rng: random.Random, other: bytes) -> bytes:
    return (damage_npz if rng.random() < 0.7 else damage_bytes)(content, rng, other)


def _model_file(name: str, damage: Damage, read: Callable[[Path], object]) -> Target:
    return Target({name: corpus.model_files()[name]}, damage, _ModelFolder(name, read))


TARGETS: dict[str, Callable[[Path], Target]] = {
    "images": lambda _: Target(corpus.images(), _damage_image, _use_image),
    "videos": lambda folder: Target(corpus.videos(folder), damage_bytes, _use_video),
    "cards": lambda _: _model_file("card.json", damage_json, _predict_once),
    "data sets": lambda folder: Target(corpus.data_sets(folder), _damage_npz, _use_data_set),
    "golden files": lambda _: _model_file("golden.npz", _damage_npz, check_model_folder),
    "tables": lambda _: Target(corpus.tables(), damage_text, _use_table),
    "recipes": lambda _: _recipes(),
    "models": lambda _: _model_file("model.onnx", damage_bytes, _run_model),
}
"""The targets of every kind of input, made when called with a folder for the corpus."""
