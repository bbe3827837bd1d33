"""The bare networks on one face crop: those of EmoPy beside the one of `fer`."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from images import face_crops

from emopy.models import find_model, list_models, load_model, to_tensor
from emopy.models.card import WEIGHTS_FILE
from environments import fer_environment
from faces_batch import bare_session
from figures import Figure, Section, Settings
from timing import Spread, alternate, ratios, seconds
from worker import Worker

AT_MOST = {"emopy-base": 3.0, "emopy-tiny": 1.0}
"""How many times as long as fer's network each may take."""

CROPS_PER_TURN = 50
FER = "fer, TensorFlow Lite"


def measure(settings: Settings) -> Section:
    """Time one crop at a time, one thread each, in turn."""
    models = [name for name in AT_MOST if name in list_models()]
    with Worker(fer_environment(), "fer_network.py") as fer:
        sides: dict[str, Callable[[], float]] = {name: one_crop(name) for name in models}
        sides[FER] = lambda: statistics.median(fer.ask(CROPS_PER_TURN))
        alternate(sides, 2)  # the first runs set up memory
        values = alternate(sides, settings.turns(30))
        about = fer.about
    figures: list[Figure] = []
    for name in models:
        found = ratios(values[name], values[FER])
        what = f"{name} ÷ fer's network"
        figures.append(
            Figure(what, found.median, "×", found.low, found.high, at_most=AT_MOST[name])
        )
    for name, taken in values.items():
        time = Spread.of(taken).scaled(1e6)
        figures.append(Figure(f"{name}, one crop", time.median, "µs", time.low, time.high))
    notes = [
        f"{name} {card.version}: {card.input.width} × {card.input.height} pixels, "
        f"{card.precision}, {(find_model(name) / WEIGHTS_FILE).stat().st_size / 1e6:.2f} MB."
        for name, card in ((name, load_model(name).card) for name in models)
    ]
    notes.append(
        f"fer's: {about['crop']} pixels, {about['megabytes']:.2f} MB, 8-bit; {about['versions']}."
    )
    return Section(
        title="The network alone",
        how=(
            "One face crop as a tensor that is ready, one thread: ONNX Runtime on EmoPy's bundled "
            "models, the TensorFlow Lite interpreter on fer's. They take turns, "
            f"{settings.turns(30)} of {CROPS_PER_TURN} crops each; the median of a turn is its "
            "value. Ratios are taken turn by turn."
        ),
        figures=tuple(figures),
        notes=tuple(notes),
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
