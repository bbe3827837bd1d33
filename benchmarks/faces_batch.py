"""`predict_faces` against the bare network: what EmoPy adds to ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from images import face_crops

from emopy import FERModel
from emopy.models import find_model, to_tensor
from emopy.models.card import WEIGHTS_FILE
from figures import Figure, Section, Settings
from timing import Spread, alternate, ratios, seconds

FACES = 64
MOST = 1.25


def measure(settings: Settings) -> Section:
    """Time 64 faces both ways, one thread each."""
    model = FERModel(model=settings.model, threads=1)
    spec = model.card.input
    gray = face_crops(FACES, min(spec.height, spec.width))
    colour = list(np.repeat(face_crops(FACES, 96)[..., None], 3, axis=-1))
    tensor = to_tensor(gray, spec)
    bare = bare_session(settings.model)
    name = bare.get_inputs()[0].name
    sides = {
        "bare": lambda: seconds(lambda: bare.run(None, {name: tensor})),
        "gray": lambda: seconds(lambda: model.predict_faces(gray)),
        "colour": lambda: seconds(lambda: model.predict_faces(colour)),
    }
    alternate(sides, 2)  # the first runs set up memory
    values = alternate(sides, settings.turns(40))
    ratio, other = ratios(values["gray"], values["bare"]), ratios(values["colour"], values["bare"])
    figures = [
        _ratio("gray crops of the network's size ÷ bare network", ratio, at_most=MOST),
        _ratio("RGB crops of 96 × 96 pixels ÷ bare network", other),
    ]
    words = {
        "bare": "bare ONNX Runtime session, 64 ready tensors",
        "gray": "`predict_faces`, 64 gray crops of the network's size",
        "colour": "`predict_faces`, 64 RGB crops of 96 × 96 pixels",
    }
    for side, what in words.items():
        time = Spread.of(values[side]).scaled(1000)
        figures.append(Figure(what, time.median, "ms", time.low, time.high))
    return Section(
        title="Faces in one call",
        how=(
            f"`FERModel.predict_faces` on {FACES} crops and the bare ONNX Runtime session on "
            f"tensors that are ready, one thread each, alternating for {settings.turns(40)} "
            "turns. Ratios are taken turn by turn."
        ),
        figures=tuple(figures),
        notes=(f"Model: {model.card.name} {model.card.version}.",),
    )


def bare_session(model: str | Path) -> onnxruntime.InferenceSession:
    """ONNX Runtime on the file of a model, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(find_model(model) / WEIGHTS_FILE), options, providers=["CPUExecutionProvider"]
    )


def _ratio(what: str, ratio: Spread, *, at_most: float | None = None) -> Figure:
    return Figure(what, ratio.median, "×", ratio.low, ratio.high, at_most=at_most)
