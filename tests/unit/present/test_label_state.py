"""Labels of a video stay where they are."""

import numpy as np
import pytest

from emopy.present.label_state import LabelState, number_of, place_labels
from emopy.present.layout import Rectangle, Style, place_chip, place_panel
from emopy.types import ImageResult

STYLE = Style(font=17, line=2, gap=7)
IMAGE = (640, 480)


@pytest.fixture
def placed(found):
    """placed({track: (left, top, side)}, time_s, steady) -> Label by track."""

    def placed(places, time_s, steady):
        faces, boxes = [], []
        for track, (left, top, side) in places.items():
            edges = (left, top, left + side, top + side)
            faces.append(found(edges, track=track))
            boxes.append(Rectangle(*map(round, edges)))
        result = ImageResult("a", IMAGE, tuple(faces), time_s)
        _, labels = place_labels(result, boxes, IMAGE, steady)
        return {faces[i].face.track: label for i, label in labels.items()}

    return placed


def test_a_panel_keeps_its_side_while_there_is_room(placed):
    steady = LabelState()
    assert placed({1: (520, 100, 110)}, 0.0, steady)[1].place.right <= 520
    lefts = [placed({1: (520 - 10 * i, 100, 110)}, i / 25, steady)[1].place for i in range(1, 25)]
    assert all(place.right <= 520 - 10 * i for i, place in enumerate(lefts, start=1))
    assert placed({1: (280, 100, 110)}, 0.0, None)[1].place.left >= 390
    assert placed({1: (100, 100, 110)}, 1.0, steady)[1].place.left >= 210


def test_a_panel_does_not_tremble_and_follows_smoothly(placed):
    steady, rng = LabelState(), np.random.default_rng(0)
    first = placed({1: (100, 100, 110)}, 0.0, steady)[1].place
    for i in range(1, 50):
        left, top = np.array([100, 100]) + rng.integers(-1, 2, 2)
        assert placed({1: (left, top, 110)}, i / 25, steady)[1].place[:2] == pytest.approx(
            first[:2], abs=1
        )
    steps = [placed({1: (100 + i, 100, 110)}, 2 + i / 25, steady)[1].place.left for i in range(60)]
    assert set(np.diff(steps[5:]).tolist()) == {1}


def test_names_keep_their_places_when_faces_change_their_order(placed):
    rng = np.random.default_rng(0)

    def jumps(steady):
        count, last = 0, {}
        for i in range(60):
            sides = 90 + rng.normal(0, 1.5, 4)
            order = np.argsort(-sides)
            faces = {int(k) + 1: (20 + 105 * k, 200, sides[k]) for k in order}
            labels = placed(faces, i / 25, steady)
            for track, label in labels.items():
                before = last.get(track, label)
                moved = abs(label.place.left - before.place.left) > 12
                count += label.kind != before.kind or moved
            last = labels
        return count

    assert jumps(None) > 3 * jumps(LabelState())


def test_a_name_grows_to_a_panel_only_when_there_is_room_for_long(placed):
    steady = LabelState()
    crowd = {1: (30, 170, 140), 2: (180, 170, 140), 3: (330, 170, 140), 4: (480, 170, 140)}
    kinds = {label.kind for label in placed(crowd, 0.0, steady).values()}
    chips = [track for track, label in placed(crowd, 0.1, steady).items() if label.kind == "chip"]
    assert chips
    assert "chip" in kinds
    alone = {chips[0]: crowd[chips[0]]}
    seen = [placed(alone, 0.2 + i / 25, steady)[chips[0]].kind for i in range(40)]
    change = seen.index("panel")
    assert 24 <= change <= 27
    assert set(seen[change:]) == {"panel"}


def test_letters_keep_their_size_while_a_face_trembles(found):
    steady = LabelState()
    sizes = set()
    for i, side in enumerate([78, 80, 82, 84, 86, 84, 81, 79] * 3):
        face = found((100, 100, 100 + side, 100 + side), track=1)
        box = Rectangle(100, 100, 100 + side, 100 + side)
        result = ImageResult("a", IMAGE, (face,), i / 25)
        sizes.add(place_labels(result, [box], IMAGE, steady)[0].font)
    assert len(sizes) == 1


def test_a_face_long_gone_is_forgotten(placed):
    steady = LabelState()
    placed({1: (520, 100, 110)}, 0.0, steady)
    placed({}, 1.0, steady)
    assert steady.last(1) is not None
    placed({}, 3.0, steady)
    assert steady.last(1) is None


def test_labels_bear_the_number_of_the_track(found):
    tracked = found((0, 0, 9, 9), track=12)
    assert number_of(ImageResult("a", IMAGE, (tracked,)), 0) == 12
    plain = found((0, 0, 9, 9))
    assert number_of(ImageResult("a", IMAGE, (plain,)), 0) is None
    assert number_of(ImageResult("a", IMAGE, (plain, plain)), 1) == 2


def test_places_near_the_last_one_are_preferred_and_stay_inside():
    box = Rectangle(250, 150, 350, 270)
    left = Rectangle(90, 150, 240, 250)
    assert place_panel((150, 100), box, [box], IMAGE, STYLE).left >= 350
    assert place_panel((150, 100), box, [box], IMAGE, STYLE, before=left).right <= 250
    corner = Rectangle(560, 5, 639, 100)
    before = Rectangle(558, 100, 638, 120)
    place = place_chip((90, 20), corner, [corner], [], IMAGE, before=before)
    assert place.shared(Rectangle(0, 0, *IMAGE)) == place.area
