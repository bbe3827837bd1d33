import numpy as np
import pytest

from emopy.errors import InputError
from emopy.faces import MTCNN
from emopy.samples import Actor, scene

WALK = Actor(path=((0, 60, 80, 70), (1, 160, 80, 90)), emotions=((0, "calm"), (0.5, "anger")))


def test_frames_have_the_size_rate_and_length_asked_for():
    frames = [frame for frame, _ in scene([WALK], size=(220, 160), seconds=1.5, fps=8)]
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([k / 8 for k in range(12)])
    assert {frame.image.shape for frame in frames} == {(160, 220, 3)}
    assert frames[0].image.dtype == np.uint8


def test_a_face_goes_along_its_path_and_is_there_only_in_its_time():
    seen = [seen for _, seen in scene([WALK], size=(220, 160), seconds=1.5, fps=8)]
    assert [len(truth) for truth in seen] == [1] * 9 + [0] * 3
    middle = seen[4][0]
    assert middle.box.center == pytest.approx((110, 80))
    assert middle.box.width == pytest.approx(80)
    assert [truth[0].emotion for truth in seen[:9]] == ["neutral"] * 4 + ["anger"] * 5


def test_the_detector_finds_the_faces_where_the_truth_says():
    two = [WALK, Actor(path=((0, 250, 90, 100), (1, 260, 120, 100)), tilt_deg=15)]
    for frame, seen in scene(two, size=(340, 200), seconds=1, fps=3):
        found = MTCNN()(frame.image)
        assert len(found) == 2
        for truth in seen:
            assert max(truth.box.iou(face.box) for face in found) > 0.55


def test_a_face_may_leave_the_image():
    leaving = Actor(path=((0, 20, 60, 80), (1, -200, 60, 80)))
    frames = [frame for frame, _ in scene([leaving], size=(160, 120), seconds=1, fps=5)]
    empty, _ = next(scene([], size=(160, 120)))
    assert not np.array_equal(frames[0].image, empty.image)
    assert np.array_equal(frames[-1].image, empty.image)


def test_the_same_scene_is_the_same_every_time():
    one, other = (next(scene(size=(320, 240)))[0].image for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    "actor, reason",
    [
        (lambda: Actor(path=((0, 1, 1, 9),)), "two or more points"),
        (lambda: Actor(path=((1, 1, 1, 9), (0, 2, 2, 9))), "in order of time"),
        (lambda: Actor(path=WALK.path, emotions=((0, "hungry"),)), "must be among"),
    ],
)
def test_a_path_or_emotion_that_cannot_be_played_is_refused(actor, reason):
    with pytest.raises(InputError, match=reason):
        next(scene([actor()], size=(160, 120)))
