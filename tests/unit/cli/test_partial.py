import json
import re
from io import BytesIO

import numpy as np
import pytest

from emopy.cli.partial import PartialResults, image_keys, image_state, partial_path
from emopy.errors import InputError
from emopy.labels import STANDARD_EMOTIONS
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction

SETTINGS = {"--emotions": "anger,fear", "version of the model": "1"}


@pytest.fixture
def images(tmp_path):
    """Three files that stand for images."""
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        path.write_bytes(b"image")
    return [str(path) for path in paths]


def open_partial(tmp_path, settings=SETTINGS, *, overwrite=False, name="faces.csv"):
    return PartialResults(
        tmp_path / name, settings, labels=STANDARD_EMOTIONS, min_confidence=0.0, overwrite=overwrite
    )


def add_all(partial, images, results, drawn=None):
    for key, image, result in zip(image_keys(images), images, results, strict=True):
        partial.add(key, image_state(image), result, drawn=drawn)


def test_results_are_read_back_exactly(tmp_path, images, results):
    with open_partial(tmp_path) as partial:
        add_all(partial, images, results)
    with open_partial(tmp_path) as partial:
        found = [partial.result(key) for key in image_keys(images)]
    assert [each.to_dict() for each in found[:2]] == [each.to_dict() for each in results[:2]]
    assert isinstance(found[0], ImageResult)
    for one, two in zip(found[0], results[0], strict=True):
        assert one.prediction.probabilities.tobytes() == two.prediction.probabilities.tobytes()
        assert one.box == two.box
        assert one.face.score == two.face.score
    assert isinstance(found[2], FailedInput)
    assert str(found[2].error) == str(results[2].error)


def test_what_rounding_would_change_stays(tmp_path, images):
    # Rounded to six digits both are equal and the first would be the predicted one; and the
    # confidence would not be below 0.7.
    close = np.array([0.69999993, 0.69999999], np.float32)
    marks = np.array([[1.1, 2.2]] * 5, np.float32)
    face = Face(Box(0.1, 0.2, 1 / 3, 2 / 3), 1 / 7, marks)
    prediction = Prediction(("anger", "fear"), close, 0.7)
    result = ImageResult("a\udcff.png", (3, 4), (FacePrediction(face, prediction),))
    labels = ("anger", "fear")
    (key,) = image_keys(images[:1])

    def opened():
        path = tmp_path / "t.csv"
        return PartialResults(path, {}, labels=labels, min_confidence=0.7, overwrite=False)

    with opened() as partial:
        partial.add(key, image_state(images[0]), result, drawn=None)
    with opened() as partial:
        found = partial.result(key)
    assert isinstance(found, ImageResult)
    assert found.source == result.source
    assert found[0].emotion is result[0].emotion is None
    assert found[0].confidence == result[0].confidence
    assert np.asarray(found[0].face.landmarks).tobytes() == marks.tobytes()


def test_only_unchanged_images_are_done(tmp_path, images, results):
    keys = image_keys(images)
    with open_partial(tmp_path) as partial:
        add_all(partial, images[:2], results[:2])
    (tmp_path / "1.png").write_bytes(b"another image")
    with open_partial(tmp_path) as partial:
        done = [partial.is_done(key, image) for key, image in zip(keys, images, strict=True)]
    assert done == [True, False, False]


def test_a_missing_file_and_one_that_appears_are_different(tmp_path, results):
    path = str(tmp_path / "late.png")
    with open_partial(tmp_path) as partial:
        add_all(partial, [path], results[2:])
        assert partial.is_done((path, 0), path)
        assert partial.has_failed((path, 0))
        (tmp_path / "late.png").write_bytes(b"image")
        assert not partial.is_done((path, 0), path)


def test_images_of_one_name_and_those_on_stdin_are_different():
    assert image_keys(["a", "b", "a", BytesIO()]) == [("a", 0), ("b", 0), ("a", 1), ("-", 0)]
    assert image_state(BytesIO(b"one")) != image_state(BytesIO(b"two"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-5],
        lambda content: content[:-1],
        lambda content: content + b'{"image": ["x", 0], "sta',
        lambda content: content + bytes(4096),
        lambda content: content + b"\n{}\n" + content,
    ],
)
def test_what_is_not_whole_at_the_end_is_dropped(tmp_path, images, results, damage):
    with open_partial(tmp_path) as partial:
        add_all(partial, images, results)
    content = partial.path.read_bytes()
    partial.path.write_bytes(damage(content))
    with open_partial(tmp_path) as partial:
        keys = image_keys(images)
        done = [partial.is_done(key, image) for key, image in zip(keys, images, strict=True)]
        assert done[:2] == [True, True]
        if not done[2]:
            partial.add(keys[2], image_state(images[2]), results[2], drawn=None)
    assert partial.path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b'{"emopy": "par'])
def test_a_run_that_was_killed_at_once_is_begun_again(tmp_path, images, results, content):
    partial_path(tmp_path / "faces.csv").write_bytes(content)
    with open_partial(tmp_path) as partial:
        add_all(partial, images, results)
    lines = partial.path.read_text().splitlines()
    assert json.loads(lines[0])["settings"] == SETTINGS
    assert len(lines) == 4


def test_other_settings_are_refused_with_what_differs_and_what_to_do(tmp_path, images, results):
    with open_partial(tmp_path) as partial:
        add_all(partial, images, results)
    content = partial.path.read_bytes()
    other = SETTINGS | {"--emotions": "anger,calm", "version of the model": "2"}
    said = (
        r"begun with other options: --emotions anger,fear instead of anger,calm; "
        r"another version of the model.*--overwrite"
    )
    with pytest.raises(InputError, match=said), open_partial(tmp_path, other):
        pass
    assert partial.path.read_bytes() == content
    with open_partial(tmp_path, other, overwrite=True) as partial:
        assert not partial.is_done((images[0], 0), images[0])


def test_what_overwrite_began_overwrite_resumes(tmp_path, images, results):
    key = (images[0], 0)
    with open_partial(tmp_path) as partial:
        add_all(partial, images, results)
    with open_partial(tmp_path, overwrite=True) as partial:
        assert not partial.is_done(key, images[0])
        add_all(partial, images, results)
    with open_partial(tmp_path, overwrite=True) as partial:
        assert partial.is_done(key, images[0])


def test_another_file_of_that_name_is_not_replaced_unasked(tmp_path):
    path = partial_path(tmp_path / "faces.csv")
    path.write_text("mine\n")
    with pytest.raises(InputError, match="another file"), open_partial(tmp_path):
        pass
    assert path.read_text() == "mine\n"
    with open_partial(tmp_path, overwrite=True):
        pass


def test_two_runs_at_once_are_refused(tmp_path):
    pytest.importorskip("fcntl")
    with (
        open_partial(tmp_path),
        pytest.raises(InputError, match="two runs at once"),
        open_partial(tmp_path),
    ):
        pass


def test_a_run_that_did_nothing_leaves_nothing(tmp_path):
    with open_partial(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    said = re.escape("`path` must be a file that can be written")
    with pytest.raises(InputError, match=said), open_partial(tmp_path, name="file/faces.csv"):
        pass


def test_a_long_name_can_be_written(tmp_path, images, results):
    name = "a" * 251 + ".csv"
    with open_partial(tmp_path, name=name) as partial:
        add_all(partial, images, results)
    with open_partial(tmp_path, name=name) as partial:
        assert partial.is_done((images[0], 0), images[0])
    assert partial_path(tmp_path / "faces.csv").name == "faces.csv.partial"
