"""Places of labels, in images and over the frames of a video."""

import numpy as np
import pytest

from emopy.present.face_labels import Rectangle, Style
from emopy.present.label_layout import (
    LabelState,
    choose_style,
    number_of,
    place_chip,
    place_corner,
    place_labels,
    place_panel,
)
from emopy.types import ImageResult

STYLE = Style(font=17, line=2, gap=7)
IMAGE = (640, 480)


@pytest.fixture
def placed(found):
    """placed({track: (left, top, side)}, time_s, state) -> Label by track."""

    def placed(places, time_s, state, size=IMAGE):
        faces, boxes = [], []
        for track, (left, top, side) in places.items():
            edges = (left, top, left + side, top + side)
            faces.append(found(edges, track=track))
            boxes.append(Rectangle(*map(round, edges)))
        result = ImageResult("a", size, tuple(faces), time_s)
        _, labels = place_labels(result, boxes, size, state)
        return {faces[i].face.track: label for i, label in labels.items()}

    return placed


def test_a_panel_keeps_its_side_while_there_is_room(placed):
    state = LabelState()
    assert placed({1: (520, 100, 110)}, 0.0, state)[1].place.right <= 520
    lefts = [placed({1: (520 - 10 * i, 100, 110)}, i / 25, state)[1].place for i in range(1, 25)]
    assert all(place.right <= 520 - 10 * i for i, place in enumerate(lefts, start=1))
    assert placed({1: (280, 100, 110)}, 0.0, None)[1].place.left >= 390
    assert placed({1: (100, 100, 110)}, 1.0, state)[1].place.left >= 210


def test_a_panel_does_not_jitter_and_follows_smoothly(placed):
    state, rng = LabelState(), np.random.default_rng(0)
    first = placed({1: (100, 100, 110)}, 0.0, state)[1].place
    for i in range(1, 50):
        left, top = np.array([100, 100]) + rng.integers(-1, 2, 2)
        assert placed({1: (left, top, 110)}, i / 25, state)[1].place[:2] == pytest.approx(
            first[:2], abs=1
        )
    steps = [placed({1: (100 + i, 100, 110)}, 2 + i / 25, state)[1].place.left for i in range(60)]
    assert set(np.diff(steps[5:]).tolist()) == {1}


def test_chips_keep_their_places_when_faces_change_their_order(placed):
    rng = np.random.default_rng(0)

    def jumps(state):
        count, last = 0, {}
        for i in range(60):
            sides = 90 + rng.normal(0, 1.5, 4)
            order = np.argsort(-sides)
            faces = {int(k) + 1: (20 + 105 * k, 200, sides[k]) for k in order}
            labels = placed(faces, i / 25, state)
            for track, label in labels.items():
                previous = last.get(track, label)
                moved = abs(label.place.left - previous.place.left) > 12
                count += label.kind != previous.kind or moved
            last = labels
        return count

    assert jumps(None) > 3 * jumps(LabelState())


def test_a_chip_becomes_a_panel_only_after_a_second_with_room(placed):
    state = LabelState()
    crowd = {1: (30, 170, 140), 2: (180, 170, 140), 3: (330, 170, 140), 4: (480, 170, 140)}
    kinds = {label.kind for label in placed(crowd, 0.0, state).values()}
    chips = [track for track, label in placed(crowd, 0.1, state).items() if label.kind == "chip"]
    assert chips
    assert "chip" in kinds
    alone = {chips[0]: crowd[chips[0]]}
    seen = [placed(alone, 0.2 + i / 25, state)[chips[0]].kind for i in range(40)]
    change = seen.index("panel")
    assert 24 <= change <= 27
    assert set(seen[change:]) == {"panel"}


def test_the_font_size_is_kept_while_a_face_jitters(found):
    state = LabelState()
    sizes = set()
    for i, side in enumerate([78, 80, 82, 84, 86, 84, 81, 79] * 3):
        face = found((100, 100, 100 + side, 100 + side), track=1)
        box = Rectangle(100, 100, 100 + side, 100 + side)
        result = ImageResult("a", IMAGE, (face,), i / 25)
        sizes.add(place_labels(result, [box], IMAGE, state)[0].font)
    assert len(sizes) == 1


def test_a_track_lost_for_long_is_forgotten(placed):
    state = LabelState()
    placed({1: (520, 100, 110)}, 0.0, state)
    placed({}, 1.0, state)
    assert state.last(1) is not None
    placed({}, 3.0, state)
    assert state.last(1) is None


def test_labels_have_the_number_of_the_track(found):
    tracked = found((0, 0, 9, 9), track=12)
    assert number_of(ImageResult("a", IMAGE, (tracked,)), 0) == 12
    plain = found((0, 0, 9, 9))
    assert number_of(ImageResult("a", IMAGE, (plain,)), 0) is None
    assert number_of(ImageResult("a", IMAGE, (plain, plain)), 1) == 2


def test_places_near_the_previous_one_are_preferred_and_stay_inside():
    box = Rectangle(250, 150, 350, 270)
    left = Rectangle(90, 150, 240, 250)
    assert place_panel((150, 100), box, [box], IMAGE, STYLE).left >= 350
    assert place_panel((150, 100), box, [box], IMAGE, STYLE, previous=left).right <= 250
    corner = Rectangle(560, 5, 639, 100)
    previous = Rectangle(558, 100, 638, 120)
    place = place_chip((90, 20), corner, [corner], [], IMAGE, previous=previous)
    assert place.overlap(Rectangle(0, 0, *IMAGE)) == place.area


DEFAULT_STYLE = choose_style((640, 480), [])


@pytest.mark.parametrize(
    "box, side",
    [
        (Rectangle(10, 10, 110, 110), "right"),
        (Rectangle(530, 10, 630, 110), "left"),
        (Rectangle(10, 10, 600, 200), "below"),
        (Rectangle(10, 250, 600, 470), "above"),
    ],
)
def test_a_panel_is_placed_beside_its_face_where_there_is_room(box, side):
    place = place_panel((200, 180), box, [box], (640, 480), DEFAULT_STYLE)
    assert {
        "right": place.left >= box.right,
        "left": place.right <= box.left,
        "below": place.top >= box.bottom,
        "above": place.bottom <= box.top,
    }[side]


def test_a_panel_covers_nothing_or_is_not_placed():
    box = Rectangle(200, 100, 400, 400)
    assert place_panel((250, 200), box, [box], (640, 480), DEFAULT_STYLE) is None
    other = Rectangle(420, 100, 620, 300)
    assert place_panel((150, 100), box, [box, other], (640, 480), DEFAULT_STYLE).right <= box.left


def test_chips_stay_inside_and_apart():
    boxes = [Rectangle(x, 0, x + 30, 40) for x in (0, 40, 80, 580, 610)]
    placed = []
    for box in boxes:
        placed.append(place_chip((80, 20), box, boxes, placed, (640, 480)))
    for i, place in enumerate(placed):
        assert 0 <= place.left < place.right <= 640
        assert 0 <= place.top < place.bottom <= 480
        assert not any(place.overlap(other) for other in placed[:i])


def test_a_label_larger_than_the_image_is_not_placed():
    box = Rectangle(0, 0, 5, 5)
    assert place_chip((80, 20), box, [box], [], (60, 60)) is None
    assert place_panel((80, 20), box, [box], (60, 60), DEFAULT_STYLE) is None


def test_the_font_size_follows_the_image_and_the_faces():
    small = [Rectangle(0, 0, 40, 50)] * 9
    assert choose_style((4000, 3000), []).font > 4 * choose_style((640, 480), []).font
    assert choose_style((640, 480), small).font < choose_style((640, 480), []).font
    assert choose_style((640, 480), small).font >= 10


def test_a_panel_moves_along_the_side_of_its_face_to_a_free_place():
    box, other = Rectangle(20, 100, 220, 460), Rectangle(240, 60, 420, 200)
    place = place_panel((200, 180), box, [box, other], (440, 480), STYLE)
    assert place.left >= box.right
    assert place.top == other.bottom


def test_a_single_face_with_little_room_gets_a_compact_panel_beside_it(placed):
    label = placed({1: (0, 60, 350)}, None, None)[1]
    assert label.kind == "panel"
    label = placed({1: (0, 0, 330)}, None, None, (640, 120))[1]
    assert (label.kind, label.place.left >= 330) == ("compact", True)


def test_a_panel_over_a_face_covers_no_eyes_nose_or_mouth():
    box = Rectangle(0, 0, 640, 640)
    place = place_corner((260, 140), box, (640, 640), STYLE)
    assert place.overlap(Rectangle(96, 160, 544, 576)) == 0
    assert place_corner((600, 140), box, (640, 640), STYLE) is None


def test_a_panel_in_a_corner_stays_there_while_the_face_jitters():
    box = Rectangle(0, 0, 640, 640)
    first = place_corner((260, 200), box, (640, 640), STYLE)
    moved = Rectangle(0, -6, 640, 634)
    assert place_corner((260, 200), moved, (640, 640), STYLE, previous=first) == first
