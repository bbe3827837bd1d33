"""The service, its client, the command line and Python give the same numbers."""

import contextlib
import io
import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emopy import FERModel
from emopy.cli.main import main
from emopy.client import Client
from emopy.labels import STANDARD_EMOTIONS
from emopy.media import read_image
from emopy.samples import sample_images
from tests.serving import encoded, serving

SAMPLES = [read_image(path) for path in sample_images().values()]


class Quiet:
    """Content that is not printed."""

    def __init__(self, content):
        self.content = content


@pytest.fixture(scope="module")
def service():
    with serving(detector="mtcnn") as running:
        yield running


def file_of(seed, faces, kind):
    """An image with faces, each (left edge, side, number of the sample), on noise."""
    image = np.random.default_rng(seed).integers(0, 60, (150, 260, 3), np.uint8)
    for left, side, number in faces:
        image[:side, left : left + side] = cv2.resize(SAMPLES[number], (side, side))
    return encoded(image, kind)


sizes, numbers = st.integers(60, 130), st.integers(0, len(SAMPLES) - 1)
images = st.builds(
    file_of,
    st.integers(0, 9),
    st.lists(st.tuples(st.sampled_from([0, 130]), sizes, numbers), max_size=2),
    st.sampled_from(["PNG", "JPEG"]),
).map(Quiet)

options = st.fixed_dictionaries(
    {},
    optional={
        "emotions": st.one_of(
            st.sampled_from(["standard", "all"]),
            st.lists(st.sampled_from(STANDARD_EMOTIONS), min_size=2, max_size=5, unique=True),
        ),
        "prior": st.sampled_from(["training", "uniform", "tempered"]),
        "min_confidence": st.floats(0, 1),
        "views": st.integers(1, 2),
    },
)


@settings(max_examples=20)
@given(images, options)
def test_each_way_to_predict_an_image_gives_the_same_numbers(
    service, tmp_path_factory, image, options
):
    image = image.content
    path = tmp_path_factory.mktemp("images") / "a.png"
    path.write_bytes(image)
    named = {name: value for name, value in options.items() if name != "emotions"}
    emotions = options.get("emotions", "standard")
    expected = FERModel(emotions, model="emopy-tiny", **named).predict(path).to_dict()

    text = {name: value if isinstance(value, str) else repr(value) for name, value in named.items()}
    if "emotions" in options:
        text["emotions"] = emotions if isinstance(emotions, str) else ",".join(emotions)
    answer = service.http.post("/v1/predict", params=text, files={"file": ("a.png", image)})
    assert answer.json()["results"] == [{**expected, "source": "a.png"}]

    with Client(service.url, **options) as client:
        assert client.predict(path).to_dict() == expected

    words = [word for name in text for word in (f"--{name.replace('_', '-')}", text[name])]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        main(["predict", str(path), "--format", "json", "--model", "emopy-tiny", *words])
    assert json.loads(printed.getvalue()) == [expected]
