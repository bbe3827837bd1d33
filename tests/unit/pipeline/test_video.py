"""Frames to results: with a real detector and model on scenes with known truth."""

import contextlib
import itertools
import tracemalloc
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emopy import FERModel, Frame, InputError
from emopy.faces import TrackingDetector
from emopy.media import read_image
from emopy.models import InputSpec
from emopy.pipeline import Smoother, VideoResults, detect_frames, predict_frames
from emopy.samples import Actor, scene
from emopy.types import Box, Face, Prediction

STANDING = Actor(path=((0, 170, 120, 110), (9, 170, 120, 110)))


def left_to_right(image):
    """A detector: one face per column of the brightness of the top row's first pixels."""
    return tuple(Face(Box(60 * i, 0, 60 * i + 40, 40)) for i in range(image[0, 0, 0]))


def blank(faces, time_s, number):
    image = np.full((64, 256, 3), 80, np.uint8)
    image[0, 0, 0] = faces
    return Frame(image, time_s, number)


def predictions(frames, predict, *, clip=1, smoothing_s=0.0):
    return predict_frames(
        detect_frames(frames, TrackingDetector(left_to_right)),
        source="made up",
        spec=InputSpec(height=48, width=48, channels=1, frames=clip),
        predict=predict,
        smooth=Smoother(smoothing_s),
    )


def confident(items, labels=("anger", "fear")):
    return [Prediction(labels, np.array([0.9, 0.1], np.float32)) for _ in items]


def test_each_frame_is_returned_with_its_result():
    frames = [blank(k, k / 7, 3 * k) for k in range(3)]
    for given, (frame, result) in zip(frames, predictions(frames, confident), strict=True):
        assert frame is given
        assert (result.source, result.size) == ("made up", (256, 64))
        assert (result.time_s, result.frame) == (given.time_s, given.number)
        assert len(result.faces) == given.image[0, 0, 0]
        assert all(face.track for face in result.faces)


def test_frames_are_consumed_as_the_results_are():
    taken = []

    def source():
        for k in range(100):
            taken.append(k)
            yield blank(1, k / 25, k)

    results = predictions(source(), confident)
    next(results)
    assert taken == [0]


def test_a_model_of_clips_gets_the_last_frames_of_the_same_track():
    seen = []

    def predict(clips):
        seen.append([[int(crop.mean()) for crop in clip] for clip in clips])
        return confident(clips)

    frames = []
    for k in range(5):
        frame = blank(1, k / 25, k)
        frame.image[1:] = 40 * (k + 1)
        frames.append(frame)
    list(predictions(frames, predict, clip=3))
    shades = [clips[0] for clips in seen]
    assert all(len(clip) == 3 for clip in shades)
    assert shades[0][0] == shades[0][1] == shades[0][2]  # before the first frame it is repeated
    assert shades[4] == sorted(shades[4])
    assert shades[4][:2] == shades[3][1:]


def test_an_array_instead_of_a_frame_is_refused():
    with pytest.raises(InputError, match=r"Type: Frame\(image, time_s=seconds, number=n\)"):
        list(predictions([np.zeros((8, 8, 3), np.uint8)], confident))


@pytest.mark.parametrize("kind", ["float", "uint16", "gray", "RGBA", "PIL", "path", "strided"])
def test_images_of_frames_are_converted_as_by_predict(kind, astronaut, astronaut_file):
    small = np.ascontiguousarray(astronaut[::2, ::2])
    converted = {
        "float": lambda: small / 255,
        "uint16": lambda: small.astype(np.uint16) * 257,
        "gray": lambda: small[:, :, 0],
        "RGBA": lambda: np.dstack([small, small[:, :, 0]]),
        "PIL": lambda: Image.fromarray(small),
        "path": lambda: astronaut_file,
        "strided": lambda: astronaut[::2, ::2],
    }[kind]()
    model = FERModel()
    ((frame, result),) = model.predict_frames([Frame(converted, 0.0, 7)], smoothing_s=0)
    expected = model.predict(converted)
    assert frame.number == 7
    assert np.array_equal(frame.image, read_image(converted))
    assert [face.probabilities for face in result.faces] == [
        face.probabilities for face in expected.faces
    ]
    assert result.size == expected.size


@pytest.mark.parametrize(
    "image, reason",
    [
        (np.zeros((3, 40, 40), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((40, 40, 3), np.int64), "astype"),
        (np.full((40, 40, 3), 200.0), "'frame 7' with 200 to 200. Divide by 255"),
        (np.zeros((0, 40, 3), np.uint8), "at least one pixel"),
        (None, "cv2.imread"),
    ],
)
def test_a_frame_with_another_image_is_refused(image, reason):
    with pytest.raises(InputError, match=reason):
        list(predictions([Frame(image, 0.0, 7)], confident))


def test_a_detector_in_a_video_may_return_what_it_may_for_images():
    boxes: Any = np.array([[10, 10, 50, 50, 0.5]])
    tracking = TrackingDetector(lambda image: boxes)
    assert [face.track for face in tracking(np.zeros((64, 64, 3), np.uint8), 0.0)] == [1]
    answers: list[Any] = [None, 7]
    for wrong in answers:
        with pytest.raises(InputError, match="`detector` must return"):
            TrackingDetector(lambda image, wrong=wrong: wrong)(np.zeros((9, 9, 3), np.uint8), 0.0)
    gray: Any = np.zeros((64, 64))
    with pytest.raises(InputError, match="`image` must be an RGB image"):
        tracking(gray, 0.0)


def test_smoothing_removes_flicker_and_0_turns_it_off():
    state = {"n": 0}

    def flickering(items):
        state["n"] += 1
        odd = state["n"] % 4 == 0
        probabilities = [0.3, 0.7] if odd else [0.8, 0.2]
        return [Prediction(("anger", "fear"), np.array(probabilities, np.float32)) for _ in items]

    def flips(smoothing_s):
        frames = [blank(1, k / 25, k) for k in range(40)]
        names = [
            result.faces[0].emotion
            for _, result in predictions(frames, flickering, smoothing_s=smoothing_s)
        ]
        return sum(one != two for one, two in pairwise(names))

    assert flips(0.0) >= 18
    assert flips(0.3) == 0


def test_ended_tracks_use_no_memory():
    def crowd():
        for k in range(600):
            yield blank(k % 2, float(3 * k), k)  # each face comes back after its track has ended

    def traced_after(results, count):
        for _ in range(count):
            next(results)
        return tracemalloc.get_traced_memory()[0]

    results = predictions(crowd(), confident, clip=4, smoothing_s=0.3)
    tracemalloc.start()
    try:
        early = traced_after(results, 100)
        late = traced_after(results, 500)
    finally:
        tracemalloc.stop()
    # A crop of 48 × 48 and its logits for each of 250 tracks would be 600 kB and more.
    assert late - early < 100_000


def test_faces_of_a_scene_are_tracked_and_predicted():
    model = FERModel()
    played = scene(
        [replace(STANDING, emotions=((0, "happiness"), (1.0, "surprise")))],
        size=(340, 240),
        seconds=2.4,
        fps=10,
    )
    frames, truths = zip(*played, strict=True)
    results = [result for _, result in model.predict_frames(frames, smoothing_s=0)]
    assert [len(result.faces) for result in results] == [1] * len(frames)
    assert {result.faces[0].track for result in results} == {1}
    settled = [k for k, frame in enumerate(frames) if not 0.9 < frame.time_s < 1.5]
    assert [results[k].faces[0].emotion for k in settled] == [truths[k][0].emotion for k in settled]


@pytest.mark.parametrize("taken", [0, 1])
@pytest.mark.parametrize("deleted", [False, True])
def test_a_video_is_closed_with_its_results_whether_any_was_taken_or_not(taken, deleted):
    class Source(contextlib.nullcontext):
        closed, shortfall = False, ""

        def close(self):
            self.closed = True

        def __exit__(self, *_):
            self.close()

    video = Source()
    results = VideoResults(video, ((frame, frame) for frame in "abc"))
    assert list(itertools.islice(results, taken)) == ["a"][:taken]
    if deleted:
        del results
    else:
        results.close()
    assert video.closed


def test_a_bad_smoothing_time_is_refused_at_the_call():
    with pytest.raises(InputError, match="smoothing_s"):
        FERModel(detector="full-image").predict_frames([], smoothing_s=-1)
