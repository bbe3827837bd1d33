"""Many images: as many threads as asked for, in order, with bounded memory."""

import threading
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emopy import FERModel
from emopy.media import take_image
from emopy.pipeline.pixel_budget import PixelBudget
from emopy.types import Box, Face, FailedInput


class Meeting:
    """A detector that waits until some calls run at the same time, and knows how many did."""

    def __init__(self, expected=1, wait_s=20.0):
        self.expected, self.wait_s = expected, wait_s
        self.running, self.most, self.threads = 0, 0, set()
        self.changed = threading.Condition()

    def __call__(self, image):
        with self.changed:
            self.threads.add(threading.current_thread().name.rpartition("_")[0])
            self.running += 1
            self.most = max(self.most, self.running)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.expected, self.wait_s)
        with self.changed:
            self.running -= 1
        return (Face(Box(8, 8, 56, 56)),)


def images(count, side=64):
    return [np.full((side, side, 3), number, np.uint8) for number in range(count)]


@pytest.fixture
def files(tmp_path):
    """files(count, side): paths of PNG images."""

    def files(count, side=64):
        folder = tmp_path / f"{side}"
        folder.mkdir()
        paths = [folder / f"{number}.png" for number in range(count)]
        for path, image in zip(paths, images(count, side), strict=True):
            Image.fromarray(image).save(path)
        return paths

    return files


@pytest.mark.parametrize("threads", [2, 3, 6])
def test_as_many_images_are_searched_at_the_same_time_as_threads_are_asked_for(
    linear_model, threads
):
    detector = Meeting(threads)
    model = FERModel(model=linear_model, detector=detector, threads=threads)
    assert len(list(model.predict_many(images(20)))) == 20
    assert detector.most == threads
    assert detector.threads == {"emopy-detect"}
    assert not [each for each in threading.enumerate() if each.name.startswith("emopy-detect")]


def test_with_one_thread_images_are_read_and_searched_in_that_of_the_caller(linear_model):
    taken, detector = [], Meeting()
    here = threading.current_thread()

    def source():
        for image in images(9):
            taken.append(threading.current_thread())
            yield image

    names = set()

    def detect(image):
        names.add(threading.current_thread())
        return detector(image)

    model = FERModel(model=linear_model, detector=detect, threads=1)
    results = model.predict_many(source())
    next(results)
    assert len(taken) == 1
    assert len(list(results)) == 8
    assert {*taken, *names} == {here}


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_by_default_there_is_a_thread_for_each_core(linear_model, monkeypatch, cores):
    monkeypatch.setattr("emopy.fermodel.usable_cores", lambda: cores)
    detector = Meeting(cores)
    list(FERModel(model=linear_model, detector=detector).predict_many(images(20)))
    assert detector.most == cores


def test_threads_change_neither_the_results_nor_their_order(linear_model, astronaut, tmp_path):
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no image")
    boxes = [(10, 10, 60, 60)]
    sources = [tmp_path / "a.png", tmp_path / "b.png", (astronaut, boxes), None, *images(6)]

    def found(threads):
        results = FERModel(model=linear_model, threads=threads).predict_many(sources)
        return [
            str(each.error)
            if isinstance(each, FailedInput)
            else (each.to_json(), [face.prediction.probabilities.tobytes() for face in each.faces])
            for each in results
        ]

    assert found(1) == found(2) == found(7)


def test_few_images_are_taken_before_their_results(linear_model):
    taken = []

    def source():
        for number, image in enumerate(images(60)):
            taken.append(number)
            yield image

    model = FERModel(model=linear_model, detector=Meeting(), threads=3)
    results: Any = model.predict_many(source(), batch_size=5)
    for got in range(1, 30):
        next(results)
        assert len(taken) <= got - 1 + 5 + 3 + 1
    results.close()


def test_large_images_together_have_at_most_twice_the_pixels_of_the_largest(linear_model, files):
    large, small = files(8, 64), files(8, 32)

    def most(sources, expected, wait_s=20.0):
        detector = Meeting(expected, wait_s)
        model = FERModel(model=linear_model, detector=detector, threads=4, max_pixels=64 * 64)
        assert len(list(model.predict_many(sources))) == len(sources)
        return detector.most

    assert most(large, 3, wait_s=0.1) == 2
    assert most(small, 4) == 4
    assert most(images(8, 64), 3, wait_s=0.1) == 2  # arrays too
    # An array has no limit: one that is larger than that is searched alone.
    assert most(images(3, 128), 2, wait_s=0.1) == 1
    assert most([*large, *images(2, 128), *small], 4, wait_s=0.01) <= 4


def test_a_damaged_image_or_an_error_of_the_detector_keeps_no_pixels(linear_model, tmp_path, files):
    whole = files(3)
    content = whole[0].read_bytes()
    for number in range(20):
        (tmp_path / f"cut-{number}.png").write_bytes(content[: len(content) // 2])
    sources = [*sorted(tmp_path.glob("cut-*.png")), *whole]
    model = FERModel(model=linear_model, detector="full-image", threads=2, max_pixels=64 * 64)
    results = list(model.predict_many(sources))
    assert [isinstance(each, FailedInput) for each in results] == [True] * 20 + [False] * 3


def test_a_budget_lets_others_in_when_pixels_are_free_again():
    budget, entered, order = PixelBudget(10), threading.Event(), []

    def wait():
        with budget.spending() as spend:
            spend(6)
            order.append("second")
            entered.set()

    with budget.spending() as spend:
        spend(6)
        thread = threading.Thread(target=wait)
        thread.start()
        assert not entered.wait(0.1)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]


def test_pixels_are_admitted_before_they_are_decoded(files, monkeypatch):
    (path,) = files(1, 48)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("was decoded"))

    def admit(pixels):
        assert pixels == 48 * 48
        raise ZeroDivisionError

    for source in (path, path.read_bytes()):
        with pytest.raises(ZeroDivisionError):
            take_image(source)(admit=admit)


def test_closing_early_ends_the_threads_also_of_images_that_wait_for_memory(linear_model, files):
    model = FERModel(model=linear_model, detector="full-image", threads=4, max_pixels=64 * 64)
    results: Any = model.predict_many(files(30))
    next(results)
    began_s = time.monotonic()
    results.close()
    assert time.monotonic() - began_s < 10
    assert not [each for each in threading.enumerate() if each.name.startswith("emopy-detect")]
