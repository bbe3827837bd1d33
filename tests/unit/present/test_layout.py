"""Labels are inside the image, beside faces, apart."""

import pytest

from emopy.present.layout import Rectangle, choose_style, place_chip, place_panel

STYLE = choose_style((640, 480), [])


@pytest.mark.parametrize(
    "box, side",
    [
        (Rectangle(10, 10, 110, 110), "right"),
        (Rectangle(530, 10, 630, 110), "left"),
        (Rectangle(10, 10, 600, 200), "below"),
        (Rectangle(10, 250, 600, 470), "above"),
    ],
)
def test_a_panel_stands_where_there_is_room(box, side):
    place = place_panel((200, 180), box, [box], (640, 480), STYLE)
    assert {
        "right": place.left >= box.right,
        "left": place.right <= box.left,
        "below": place.top >= box.bottom,
        "above": place.bottom <= box.top,
    }[side]


def test_a_panel_covers_nothing_or_is_not_placed():
    box = Rectangle(200, 100, 400, 400)
    assert place_panel((250, 200), box, [box], (640, 480), STYLE) is None
    other = Rectangle(420, 100, 620, 300)
    assert place_panel((150, 100), box, [box, other], (640, 480), STYLE).right <= box.left


def test_chips_stay_inside_and_apart():
    boxes = [Rectangle(x, 0, x + 30, 40) for x in (0, 40, 80, 580, 610)]
    placed = []
    for box in boxes:
        placed.append(place_chip((80, 20), box, boxes, placed, (640, 480)))
    for i, place in enumerate(placed):
        assert 0 <= place.left < place.right <= 640
        assert 0 <= place.top < place.bottom <= 480
        assert not any(place.shared(other) for other in placed[:i])


def test_a_label_larger_than_the_image_is_left_out():
    box = Rectangle(0, 0, 5, 5)
    assert place_chip((80, 20), box, [box], [], (60, 60)) is None
    assert place_panel((80, 20), box, [box], (60, 60), STYLE) is None


def test_letters_follow_the_image_and_the_faces():
    small = [Rectangle(0, 0, 40, 50)] * 9
    assert choose_style((4000, 3000), []).font > 4 * choose_style((640, 480), []).font
    assert choose_style((640, 480), small).font < choose_style((640, 480), []).font
    assert choose_style((640, 480), small).font >= 10
