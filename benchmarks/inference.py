"""The model alone: one crop beside fer's network, and `predict_faces` beside ONNX Runtime."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import fer_environment
from benchmarks.inputs import face_crops
from benchmarks.report import Section, Settings
from benchmarks.timing import Spread, alternate, ratios, seconds
from benchmarks.worker import Worker
from emopy import FERModel
from emopy.models import find_model, list_models, load_model, to_tensor
from emopy.models.card import WEIGHTS_FILE
from emopy.models.session import open_session

FACES = 64
MOST = 1.25


def measure_faces(settings: Settings) -> Section:
    """Time 64 faces both ways, one thread each."""
    model = FERModel(model=settings.model, threads=1)
    spec = model.card.input
    gray = face_crops(FACES, min(spec.height, spec.width))
    color = list(np.repeat(face_crops(FACES, 96)[..., None], 3, axis=-1))
    tensor = to_tensor(gray, spec)
    bare = bare_session(settings.model)
    name = bare.get_inputs()[0].name
    sides = {
        "bare": lambda: seconds(lambda: bare.run(None, {name: tensor})),
        "gray": lambda: seconds(lambda: model.predict_faces(gray)),
        "color": lambda: seconds(lambda: model.predict_faces(color)),
    }
    alternate(sides, 2)  # the first runs set up memory
    values = alternate(sides, settings.turns(40))
    words = {
        "bare": "ONNX Runtime alone, 64 ready tensors",
        "gray": "`predict_faces`, 64 gray crops of the input size",
        "color": "`predict_faces`, 64 RGB crops of 96 × 96 pixels",
    }
    figures = [
        ratios(values["gray"], values["bare"]).figure(
            "gray crops of the input size ÷ ONNX Runtime alone", "×", at_most=MOST
        ),
        ratios(values["color"], values["bare"]).figure(
            "RGB crops of 96 × 96 pixels ÷ ONNX Runtime alone", "×"
        ),
        *(Spread.of(values[s]).scaled(1000).figure(what, "ms") for s, what in words.items()),
    ]
    return Section(
        title="Faces in one call",
        how=(
            f"`FERModel.predict_faces` on {FACES} crops and ONNX Runtime alone on "
            f"tensors that are ready, one thread each, alternating for {settings.turns(40)} "
            "turns. Ratios are taken turn by turn."
        ),
        figures=figures,
        notes=(f"Model: {model.card.name} {model.card.version}.",),
    )


def bare_session(model: str | Path) -> Any:
    """ONNX Runtime on the file of a model, one thread."""
    return open_session(find_model(model) / WEIGHTS_FILE, threads=1, providers=["cpu"])


AT_MOST = {"emopy-base": 3.0, "emopy-tiny": 1.0}
"""How many times as long as fer's network each may take."""

CROPS_PER_TURN = 50
FER = "fer, TensorFlow Lite"


def measure_network(settings: Settings) -> Section:
    """Time one crop at a time, one thread each, in turn."""
    models = [name for name in AT_MOST if name in list_models()]
    with Worker(fer_environment(), "fer_worker.py", "network") as fer:
        sides: dict[str, Callable[[], float]] = {name: one_crop(name) for name in models}
        sides[FER] = lambda: statistics.median(fer.ask(CROPS_PER_TURN))
        alternate(sides, 2)  # the first runs set up memory
        values = alternate(sides, settings.turns(30))
        about = fer.about
    figures = [
        ratios(values[name], values[FER]).figure(
            f"{name} ÷ fer's network", "×", at_most=AT_MOST[name]
        )
        for name in models
    ]
    figures += [
        Spread.of(taken).scaled(1e6).figure(f"{name}, one crop", "µs")
        for name, taken in values.items()
    ]
    notes = [
        f"{card.name} {card.version}: {card.input.width} × {card.input.height} pixels, "
        f"{card.precision}, {(path / WEIGHTS_FILE).stat().st_size / 1e6:.2f} MB."
        for path, card in ((model.path, model.card) for model in map(load_model, models))
    ]
    notes.append(
        f"fer's: {about['crop']} pixels, {about['megabytes']:.2f} MB, 8-bit; {about['versions']}."
    )
    return Section(
        title="The model alone",
        how=(
            "One face crop as a tensor that is ready, one thread: ONNX Runtime on EmoPy's bundled "
            "models, the TensorFlow Lite interpreter on fer's. They take turns, "
            f"{settings.turns(30)} of {CROPS_PER_TURN} crops each; the median of a turn is its "
            "value. Ratios are taken turn by turn."
        ),
        figures=figures,
        notes=notes,
    )


def one_crop(model: str | Path) -> Callable[[], float]:
    """A turn: median seconds that the bare network of a model takes for one crop."""
    session, spec = bare_session(model), load_model(model).card.input
    tensor = to_tensor(face_crops(1, spec.height), spec)
    wanted = {session.get_inputs()[0].name: tensor}

    def turn() -> float:
        session.run(None, wanted)  # the first after the other side's turn finds cold caches
        return statistics.median(
            seconds(lambda: session.run(None, wanted)) for _ in range(CROPS_PER_TURN)
        )

    return turn
