"""The images of the documentation show what the program draws now."""

import importlib.util
import sys
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/pictures"
REDRAWN = [
    *("annotated-video", "clips", "data-show", "demo", "explanations", "samples", "timeline"),
    *("confusion-emopy-base", "confusion-emopy-tiny", "corruptions", "how-it-works"),
]
REDRAWN_FROM_NUMBERS = ["reliability", *(["curves"] if find_spec("keras") else [])]
WITH_SOURCES = ["curves", "notebook", "reliability", "report", "web", "webcam"]
ADVICE = "type: python scripts/write_images.py"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "scripts"))  # as where the script is run
    spec = importlib.util.spec_from_file_location("write_images", ROOT / "scripts/write_images.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT / "scripts"))
    return module


def assert_same_drawing(expected, path):
    """Numbers may differ in their last digit from one processor to another, and letters' edges.

    Older versions of Matplotlib draw letters otherwise, and plots beside labels have another
    width: there both are compared at an eighth, and more may differ.
    """
    is_old = mpl.__version_info__ < (3, 11)
    factor, tolerance, most = (8, 60, 0.01) if is_old else (1, 40, 0.002)
    with Image.open(path) as image:
        found = np.asarray(image.convert("RGB").reduce(factor), dtype=int)
    wanted = np.asarray(expected.convert("RGB").reduce(factor), dtype=int)
    assert found.shape == wanted.shape, f"{path.name}: {ADVICE} {path.stem}"
    different = (np.abs(found - wanted).max(axis=2) > tolerance).mean()
    assert different < most, f"{path.name}: {different:.2%} of it differs; {ADVICE} {path.stem}"


def test_every_image_is_written_by_the_script(script):
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.png" for name in script.IMAGES}
    assert set(script.IMAGES) == {*REDRAWN, *WITH_SOURCES}


@pytest.mark.parametrize("name", REDRAWN)
def test_an_image_shows_what_is_drawn_now(script, name):
    image, _ = script.IMAGES[name]()
    assert_same_drawing(image, FOLDER / f"{name}.png")


@pytest.mark.parametrize("name", REDRAWN_FROM_NUMBERS)
def test_a_chart_shows_its_numbers_as_they_are_drawn_now(script, name):
    path = FOLDER / f"{name}.png"
    record = script.record_of(path)
    image, _ = script.IMAGES[name](record["numbers"])
    assert_same_drawing(image, path)


@pytest.mark.parametrize("name", WITH_SOURCES)
def test_an_image_was_drawn_from_the_models_faces_and_pages_of_now(script, name):
    record = script.record_of(FOLDER / f"{name}.png")
    assert record["sources"] == script.SOURCES[name](), f"{ADVICE} {name}"


def test_the_notebook_shows_the_probabilities_of_now(script):
    numbers = script.record_of(FOLDER / "notebook.png")["numbers"]
    _, probabilities = script.notebook_results()
    assert np.allclose(numbers, probabilities, atol=0.02), f"{ADVICE} notebook"


def test_the_notebook_is_drawn_as_a_browser_draws_it_now(script):
    """Fonts differ from one machine to another, so both are compared eight times smaller."""
    try:
        image, _ = script.IMAGES["notebook"]()
    except script.CannotDrawError as error:
        pytest.skip(str(error))
    with Image.open(FOLDER / "notebook.png") as written:
        small = [np.asarray(each.convert("RGB").reduce(8), dtype=int) for each in (image, written)]
    assert small[0].shape == small[1].shape, f"{ADVICE} notebook"
    different = (np.abs(small[0] - small[1]).max(axis=2) > 60).mean()
    assert different < 0.01, f"{different:.1%} of notebook.png differs; {ADVICE} notebook"


def test_a_changed_drawing_is_noticed(script, tmp_path):
    path = tmp_path / "demo.png"
    with Image.open(FOLDER / "demo.png") as image:
        shifted = np.roll(np.asarray(image.convert("RGB")), 8, axis=1)
        Image.fromarray(shifted).save(path)
        with pytest.raises(AssertionError, match="of it differs"):
            assert_same_drawing(image, path)
