"""Faces of the next frames, detected in a thread of its own: same results, few, always ended."""

import os
import threading
import time
from typing import Any

import numpy as np
import pytest

from emopy import FERModel, Frame, InputError
from emopy.batch import FacePredictor
from emopy.batch.run import complete_options
from emopy.batch.worker import create_model
from emopy.faces import TrackingDetector
from emopy.media import Video
from emopy.pipeline import Smoother, detect_frames, predict_frames
from emopy.pipeline.video import _MAX_AHEAD
from emopy.types import Box, Face, Prediction

FACE = Face(Box(8, 8, 56, 56))


class Reader:
    """A video without a file: numbered frames, and what happens before some of them."""

    source, size, duration_s, fps = "made up", (64, 64), None, 25.0
    skipped, truncated = 0, False

    def __init__(self, frames=30, *, is_live=False, before=None):
        self.frames, self.is_live, self.before = frames, is_live, before or {}
        self.taken, self.closed = 0, False

    def read(self):
        for number in range(self.frames):
            self.before.get(number, lambda: None)()
            self.taken += 1
            yield Frame(np.full((64, 64, 3), number, np.uint8), number / 25, number)

    def close(self):
        self.closed = True


def video(*args, **options):
    reader: Any = Reader(*args, **options)
    return Video(reader)


class Detector:
    """Finds one face; knows which thread called it for which frame."""

    def __init__(self, before=None):
        self.before = before or {}
        self.calls: list[tuple[int, str]] = []

    def __call__(self, image):
        number = int(image[0, 0, 0])
        self.before.get(number, lambda: None)()
        self.calls.append((number, threading.current_thread().name))
        return (FACE,)

    @property
    def numbers(self):
        return [number for number, _ in self.calls]

    @property
    def threads(self):
        return {thread for _, thread in self.calls}


@pytest.fixture
def predicted(linear_model):
    """Predict frames with a detector, in one thread or several; return the iterator."""

    def predicted(frames, detector, threads=2):
        model = FERModel(model=linear_model, detector=detector, threads=threads)
        return model.predict_frames(frames)

    return predicted


def threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("emopy-prefetch")]


def settled(count):
    """Wait until a number does not change any more; return it."""
    while True:
        before = count()
        time.sleep(0.1)
        if count() == before:
            return before


def raises(error):
    def fail():
        raise error

    return fail


def as_bytes(results):
    return [
        (
            result.to_json(),
            [
                (face.box, face.track, None if face.landmarks is None else face.landmarks.tobytes())
                for face in (each.face for each in result.faces)
            ],
            [each.prediction.probabilities.tobytes() for each in result.faces],
        )
        for result in results
    ]


@pytest.mark.parametrize("smoothing_s", [0.0, 0.3])
def test_the_results_are_equal_to_the_last_bit(clip_file, smoothing_s):
    alone, ahead = (
        list(FERModel(threads=n).predict_video(clip_file, smoothing_s=smoothing_s)) for n in (1, 2)
    )
    assert any(result.faces for result in alone)
    assert as_bytes(ahead) == as_bytes(alone)


def test_faces_are_detected_while_the_frame_before_is_predicted():
    begun = threading.Event()
    detect = TrackingDetector(Detector(before={1: begun.set}))

    def predict(crops):
        assert begun.wait(20), "the next frame is not detected meanwhile"
        return [Prediction(("anger", "fear"), np.array([0.9, 0.1], np.float32)) for _ in crops]

    spec = FERModel(detector="full-image").card.input
    results = predict_frames(
        detect_frames(video(2), detect, threads=2),
        source="made up",
        spec=spec,
        predict=predict,
        smooth=Smoother(0),
    )
    assert [result.frame for _, result in results] == [0, 1]


def test_frames_come_in_order_and_the_detector_sees_each_once_in_one_other_thread(predicted):
    detector = Detector()
    results = list(predicted(video(), detector))
    assert [result.frame for _, result in results] == list(range(30))
    assert [int(frame.image[0, 0, 0]) for frame, _ in results] == list(range(30))
    assert {result.faces[0].track for _, result in results} == {1}
    assert detector.numbers == list(range(30))
    assert detector.threads == {"emopy-prefetch"}
    assert not threads()


def test_with_one_thread_the_detector_is_called_in_that_of_the_caller(predicted):
    detector = Detector()
    results = predicted(video(), detector, threads=1)
    next(results)
    assert detector.numbers == [0]
    list(results)
    assert detector.threads == {threading.current_thread().name}


@pytest.mark.parametrize("cores, in_advance", [(1, False), (2, True), (8, True)])
def test_by_default_the_cores_decide(linear_model, monkeypatch, cores, in_advance):
    monkeypatch.setattr("emopy.fermodel.usable_cores", lambda: cores)
    detector = Detector()
    list(FERModel(model=linear_model, detector=detector).predict_frames(video()))
    assert (detector.threads == {"emopy-prefetch"}) is in_advance


def test_few_frames_are_in_memory(predicted):
    reader: Any = Reader(100)
    detector = Detector()
    results = predicted(Video(reader), detector)
    assert settled(lambda: len(detector.calls)) == 0
    for taken in range(1, 5):
        next(results)
        assert settled(lambda: len(detector.calls)) == taken + _MAX_AHEAD
    results.close()
    assert not threads()


@pytest.mark.parametrize(
    "source",
    [lambda: video(is_live=True), lambda: (Frame(np.zeros((64, 64, 3), np.uint8), 0, 0),)],
    ids=["camera", "frames of the user"],
)
def test_live_frames_and_frames_of_the_user_are_not_taken_in_advance(predicted, source):
    detector = Detector()
    results = predicted(source(), detector)
    next(results)
    time.sleep(0.1)
    assert len(detector.calls) == 1
    results.close()
    assert detector.threads == {threading.current_thread().name}


def test_a_result_does_not_wait_for_the_next_frame(predicted):
    gate = threading.Event()
    source = video(before={1: lambda: gate.wait(20)})
    results = predicted(source, Detector())
    began_s = time.monotonic()
    assert next(results)[1].frame == 0
    assert time.monotonic() - began_s < 10
    gate.set()
    assert len(list(results)) == 29


@pytest.mark.parametrize("where", ["detector", "video"])
def test_an_error_comes_after_the_results_before_it(predicted, where):
    fault = {7: raises(ZeroDivisionError("here"))}
    source = video(before=fault if where == "video" else None)
    results = predicted(source, Detector(fault if where == "detector" else None))
    numbers = []
    with pytest.raises(ZeroDivisionError, match="here"):
        numbers.extend(result.frame for _, result in results)
    assert numbers == list(range(7))
    assert list(results) == []
    source.close()
    assert not threads()


def test_a_frame_without_an_image_is_refused_after_the_results_before_it(predicted):
    class Odd(Reader):
        def read(self):
            yield from super().read()
            yield Frame(np.zeros((64, 0, 3), np.uint8), 9.0, 9)

    reader: Any = Odd(3)
    results = predicted(Video(reader), Detector())
    assert [next(results)[1].frame for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="at least one pixel"):
        next(results)


def leave(results):
    for _ in results:
        break
    results.close()


def drop(results):
    next(results)


def interrupt(results):
    def consume():
        for _ in results:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    results.close()


@pytest.mark.parametrize("stop", [leave, drop, interrupt])
def test_a_caller_that_stops_early_ends_the_threads(linear_model, clip_file, stop):
    model = FERModel(model=linear_model, detector="full-image", threads=2)
    stop(model.predict_video(clip_file))
    assert not threads()


def test_closing_does_not_wait_for_a_frame_that_never_comes(linear_model, monkeypatch):
    gate, reader = threading.Event(), None

    def open_stalled(*args, **options):
        nonlocal reader
        reader = Reader(before={1: lambda: gate.wait(20)})
        opened: Any = reader
        return Video(opened)

    monkeypatch.setattr("emopy.fermodel.open_video", open_stalled)
    model = FERModel(model=linear_model, detector="full-image", threads=2)
    results: Any = model.predict_video("made up")
    next(results)
    began_s = time.monotonic()
    results.close()
    assert time.monotonic() - began_s < 5
    assert reader is not None
    assert reader.closed
    gate.set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_the_parent_has_begun_is_refused_in_a_forked_child(predicted):
    source = video()
    results = predicted(source, Detector())
    next(results)
    child = os.fork()
    if child == 0:
        try:
            next(results)
        except InputError as error:
            results.close()
            os._exit(0 if "in the process that opened it" in str(error) else 1)
        except BaseException:  # noqa: BLE001  the child must end here
            os._exit(2)
        os._exit(3)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(results)) == 29


def test_processes_of_which_there_is_one_per_core_detect_in_one_thread(linear_model, monkeypatch):
    monkeypatch.setattr("emopy.fermodel.usable_cores", lambda: 8)
    settings = complete_options({"model": str(linear_model), "detector": "full-image"})
    options = {"model": linear_model, "detector": "full-image"}
    for model in (create_model(settings), FacePredictor(**options)._model):
        assert model._threads == 1
    assert FacePredictor(**options, threads=3)._model._threads == 3
