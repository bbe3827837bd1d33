"""Find, load and check model folders: by path, bundled name, entry point or fetched name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError, ModelNotFoundError, nearest
from emopy.files import DamagedFileError, read_arrays, sha256_of
from emopy.models.card import (
    CARD_FILE,
    GOLDEN_FILE,
    MAX_BYTES,
    NETWORK_FILE,
    WEIGHTS_FILE,
    ModelCard,
    card_from_json,
    has_card,
)
from emopy.models.fetch import KNOWN, models_folder
from emopy.models.preprocessing import Crops, checked, to_tensor
from emopy.models.session import OnnxSession

DEFAULT_MODEL = "emopy-base"
"""The model that is used where none is named."""

ENTRY_POINTS = "emopy.models"
"""Entry point group of models in other packages: the path of a model folder, or a callable that
returns one."""

GOLDEN_TOLERANCE = {"float32": 1e-3, "int8": 0.2}
"""Largest difference of a logit between machines, by precision. In int8 it is larger: one value
that is rounded to the next of 256 steps changes all values after it."""

RELATIVE_TOLERANCE = 1e-4
"""Tolerance as a fraction of the largest golden logit: rounding differs between CPUs."""

BATCH_SIZE = 64
"""Crops per run of a model: large enough to be fast, small enough for the CPU cache."""

_BUNDLED = Path(__file__).with_name("bundled")
_REQUIRED_FILES = (WEIGHTS_FILE, GOLDEN_FILE)


def find_model(model: str | Path) -> Path:
    """Find a model folder; its content is checked by `load_model`.

    Args:
        model: Path of a model folder, or a name. A name is looked up among the bundled models,
            the entry points of installed packages and the fetched models, in this order.

    Raises:
        ModelNotFoundError: Neither a folder nor a known name.
        ModelError: An entry point that does not give a folder, or a folder without a card.
    """
    path = Path(model)
    if has_card(path):
        return path
    name = os.fspath(model)
    if name in _names_in(_BUNDLED):
        return _BUNDLED / name
    if entry := _entry_points().get(name):
        return _folder_of(entry)
    if name in _fetched_names():
        return models_folder() / name
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where the name is too long
        raise ModelError(
            f"A model folder must hold {CARD_FILE}. Received {path}, which does not. "
            + _suggest_folder(path)
        )
    raise ModelNotFoundError(_not_found(name))


def list_models() -> tuple[str, ...]:
    """Names of all installed models: bundled ones, those of packages, fetched ones."""
    names = [*_names_in(_BUNDLED), *sorted(_entry_points()), *_fetched_names()]
    return tuple(dict.fromkeys(names))


def is_bundled(folder: Path) -> bool:
    """Whether a model folder is one of those that come with EmoPy."""
    return folder.resolve().is_relative_to(_BUNDLED.resolve())


def find_keras_model(model: str | Path) -> tuple[ModelCard, Path]:
    """Find the trainable Keras file of a model.

    Args:
        model: Path of a model folder, or the name of a model.

    Returns:
        The card, and the Keras file with its checksum verified.

    Raises:
        ModelNotFoundError: No such model, or a model folder without a Keras file.
        ModelError: The file is damaged.
    """
    path = find_model(model)
    card = read_card(path)
    if NETWORK_FILE not in card.files:
        raise ModelNotFoundError(
            f"`model` must hold a trainable network, {NETWORK_FILE}. Received {path}, which "
            "holds none. Export it again, with its trainable network."
        )
    _check_files(path, card, (NETWORK_FILE,))
    return card, path / NETWORK_FILE


@dataclass(frozen=True, slots=True, eq=False)
class ModelFolder:
    """A loaded model, its files checked against each other.

    Attributes:
        path: The folder.
        card: The model card.
        session: The ONNX Runtime session.
    """

    path: Path
    card: ModelCard
    session: OnnxSession

    def logits(
        self, crops: Crops, *, views: int = 1, batch_size: int = BATCH_SIZE
    ) -> NDArray[np.float32]:
        """Compute the logits of face crops in batches.

        Args:
            crops: Face crops, see `to_tensor`.
            views: 1, or 2: the mean of each crop and of its mirror image, in twice the time.
            batch_size: Crops per run of the model.

        Returns:
            (n, k) float32, one column per label of the card, not divided by the temperature.

        Raises:
            InputError: Crops of a wrong type or shape, or bad `views`.
            ModelError: The model failed, or did not return finite logits.
        """
        check_views(views)
        crops = checked(crops, self.card.input)
        # Without crops one empty batch runs, so that a wrong type of array is still refused.
        batches = [
            self._mean_logits(to_tensor(crops[start : start + batch_size], self.card.input), views)
            for start in range(0, max(len(crops), 1), batch_size)
        ]
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    def _mean_logits(self, tensor: NDArray[np.float32], views: int) -> NDArray[np.float32]:
        logits = self.session.run(tensor)
        if views == 2:
            mirrored = np.ascontiguousarray(tensor[..., ::-1, :])
            logits = (logits + self.session.run(mirrored)) / np.float32(2)
        return logits


def check_views(views: int) -> None:
    """Raise InputError if `views` is neither 1 nor 2."""
    if views not in (1, 2):
        raise InputError(
            f"`views` must be 1, or 2 to predict each face and its mirror image. Received {views}."
        )


def load_model(
    model: str | Path, *, threads: int = 1, providers: str | Sequence[str] | None = None
) -> ModelFolder:
    """Load a model and check its card, checksums, inputs and outputs.

    The trainable Keras file is not checked: prediction does not use it.

    Args:
        model: Path of a model folder, or the name of a model.
        threads: CPU threads per run.
        providers: Execution providers, as for `OnnxSession`; None is the CPU.

    Raises:
        ModelNotFoundError: Neither a folder nor a known name.
        ModelError: A damaged folder, or files that do not belong together.
    """
    path = find_model(model)
    card = read_card(path)
    _check_files(path, card, _REQUIRED_FILES)
    _check_golden_shapes(read_golden(path), card, path / GOLDEN_FILE)
    session = OnnxSession(path / WEIGHTS_FILE, threads=threads, providers=providers)
    _check_graph(session, card)
    return ModelFolder(path, card, session)


def check_model_folder(path: str | Path) -> float:
    """Check all files of a model folder, and that the model reproduces its golden logits.

    Args:
        path: The folder, or the name of a model.

    Returns:
        Largest difference between a logit and its golden value, at most `GOLDEN_TOLERANCE`, or
        `RELATIVE_TOLERANCE` times the largest golden logit if that is more.

    Raises:
        ModelError: See `load_model`; or other logits.
    """
    folder = load_model(path)
    _check_files(folder.path, folder.card, folder.card.files)
    golden = read_golden(folder.path)
    difference = float(np.abs(folder.logits(golden.crops) - golden.logits).max())
    tolerance = max(
        GOLDEN_TOLERANCE[folder.card.precision],
        RELATIVE_TOLERANCE * float(np.abs(golden.logits).max()),
    )
    if difference > tolerance:
        raise ModelError(
            f"{folder.path} must reproduce its golden logits within {tolerance:g}. Received "
            f"logits that differ by {difference:.3g}: the weights are not those that were "
            "exported. Export or fetch the model again."
        )
    return difference


def read_card(path: Path) -> ModelCard:
    """Read and check the card of a model folder.

    Raises:
        ModelError: No card, or an invalid one.
    """
    file = path / CARD_FILE
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ModelError(f"{file} must have at most {MAX_BYTES:,} bytes. Received more.")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"A model folder must hold {CARD_FILE}. Received {path}: {error.strerror}. "
            + _suggest_folder(path)
        ) from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{file} must be UTF-8 text. Received: {error}.") from error
    card = card_from_json(text, file)
    listed = set(card.files)
    if not set(_REQUIRED_FILES) <= listed <= {*_REQUIRED_FILES, NETWORK_FILE}:
        raise ModelError(
            f"{file}, `files` must list {' and '.join(_REQUIRED_FILES)}, and may list "
            f"{NETWORK_FILE}. Received {', '.join(card.files) or 'nothing'}. "
            "Export the model again."
        )
    return card


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Crops and their expected logits, by which a model folder is checked on any machine.

    Attributes:
        crops: (n, H, W, C) or (n, T, H, W, C) uint8, of the input size of the model, n ≥ 1.
        logits: (n, k) float32, finite.
    """

    crops: NDArray[np.uint8]
    logits: NDArray[np.float32]

    def __post_init__(self) -> None:
        crops, logits = self.crops, self.logits
        if crops.dtype != np.uint8 or crops.ndim not in (4, 5) or not len(crops):
            raise ModelError(
                "golden `crops` must be uint8 (n, H, W, C) or (n, T, H, W, C), n 1 or more. "
                f"Received {crops.dtype} of shape {crops.shape}."
            )
        if logits.dtype != np.float32 or logits.ndim != 2 or len(logits) != len(crops):
            raise ModelError(
                f"golden `logits` must be float32 of shape ({len(crops)}, number of labels). "
                f"Received {logits.dtype} of shape {logits.shape}."
            )
        if not np.isfinite(logits).all():
            raise ModelError("golden `logits` must be finite. Received NaN or infinity.")


def read_golden(folder: Path) -> Golden:
    """Read the golden crops and logits of a model folder. Pickled objects are refused.

    Raises:
        ModelError: A missing or damaged file.
    """
    path = folder / GOLDEN_FILE
    try:
        stored = read_arrays(path, ("crops", "logits"))
        return Golden(stored["crops"], stored["logits"])
    except (DamagedFileError, KeyError) as error:
        raise ModelError(
            f"{path} must be a .npz file with `crops` and `logits`. Received: {error}. "
            "Export the model again."
        ) from error


def _check_files(path: Path, card: ModelCard, names: Iterable[str]) -> None:
    """Refuse a missing file, or one whose checksum is not that of the card."""
    for name in names:
        file, expected = path / name, card.files[name]
        try:
            received = sha256_of(file)
        except OSError as error:
            raise ModelError(
                f"{path} must hold {name}. Received a folder where it cannot be read: "
                f"{error.strerror}. Fetch or export the model again."
            ) from error
        if received != expected:
            raise ModelError(
                f"{file} must have the SHA-256 of the card, {expected}. Received {received}: it "
                "was changed or damaged. Fetch or export the model again."
            )


def _check_golden_shapes(golden: Golden, card: ModelCard, source: Path) -> None:
    if golden.crops.shape[1:] != card.input.shape:
        raise ModelError(
            f"{source} must hold crops of shape {card.input.shape}, as the card says. "
            f"Received {golden.crops.shape[1:]}. Export the model again."
        )
    if golden.logits.shape[1] != len(card.labels):
        raise ModelError(
            f"{source} must hold {len(card.labels)} logits per crop, one per label of the "
            f"card. Received {golden.logits.shape[1]}. Export the model again."
        )


def _check_graph(session: OnnxSession, card: ModelCard) -> None:
    if session.input_shape != card.input.shape:
        raise ModelError(
            f"{session.path} must take samples of shape {card.input.shape}, as the card says. "
            f"Received a graph for {session.input_shape}: card and weights do not belong "
            "together. Export the model again."
        )
    if session.outputs != len(card.labels):
        raise ModelError(
            f"{session.path} must have {len(card.labels)} outputs, one per label of the card "
            f"({', '.join(card.labels)}). Received a graph with {session.outputs}: card and "
            "weights do not belong together. Export the model again."
        )


def _names_in(folder: Path) -> list[str]:
    try:
        items = list(folder.iterdir())
    except OSError:  # it does not exist, or cannot be read
        return []
    return sorted(item.name for item in items if not item.name.startswith(".") and has_card(item))


def _fetched_names() -> list[str]:
    try:
        return _names_in(models_folder())
    except ModelError:  # the home directory is not known
        return []


def _entry_points() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def _folder_of(entry: EntryPoint) -> Path:
    try:
        found = entry.load()
        if callable(found):
            found = found()
    except Exception as error:  # the code of another package may raise anything
        raise ModelError(
            f"The entry point {entry.name!r} must load. Received: "
            f"{str(error) or type(error).__name__}. Reinstall the package that offers "
            f"{entry.value!r}."
        ) from error
    if not isinstance(found, str | os.PathLike):
        raise ModelError(
            f"The entry point {entry.name!r} must give the path of a model folder. "
            f"Received {type(found).__name__} from {entry.value!r}."
        )
    return Path(os.fspath(found))


def _suggest_folder(path: Path) -> str:
    """What to give in place of a folder that is no model."""
    inner = path / "model"
    if has_card(inner):
        return f"It is a run folder, whose model is {inner}: give that."
    return "Give the folder of a model that `emopy train` wrote, or the name of a model."


def _not_found(name: str) -> str:
    known = list_models()
    text = f"`model` must be the path of a model folder or the name of a model. Received {name!r}"
    if os.sep in name or "/" in name:
        return text + ": no such folder. Check the path."
    if name in KNOWN:
        return text + ", which is a face detector. Give it as `detector`."
    text += ". " + (nearest(name, known) if known else "No model is installed.")
    return text + " Type: emopy models list"
