"""The first listing that the old EmoPy had in its README, and the images that it names."""

import subprocess
import sys
from importlib.resources import as_file, files

import pytest

from emopy.samples import sample_images

# `pkg_resources` is gone from today's setuptools; all other lines are as they were.
LISTING = """
from EmoPy.src.fermodel import FERModel
from importlib.resources import files

def resource_filename(package, name):
    return str(files(package) / name)

target_emotions = ['calm', 'anger', 'happiness']
model = FERModel(target_emotions, verbose=True)

print('Predicting on happy image...')
model.predict(resource_filename('EmoPy.examples','image_data/sample_happy_image.png'))

print('Predicting on disgust image...')
model.predict(resource_filename('EmoPy.examples','image_data/sample_disgust_image.png'))

print('Predicting on anger image...')
model.predict(resource_filename('EmoPy.examples','image_data/sample_anger_image2.png'))
"""

IMAGES = {
    "sample_happy_image.png": "happiness",
    "sample_disgust_image.png": "disgust",
    "sample_anger_image2.png": "anger",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    script = tmp_path_factory.mktemp("listing") / "fermodel_example.py"
    script.write_text(LISTING, encoding="utf-8")
    return subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)


def test_the_listing_prints_a_line_for_each_emotion_of_each_image(run):
    _, happy, disgust, anger = run.stdout.split("Predicting on ")
    for part in (happy, disgust, anger):
        words = [line.split(":")[0] for line in part.splitlines() if line.endswith("%")]
        assert words == ["anger", "happiness", "calm"]
    assert "Dominant emotion: happiness" in happy
    assert "Dominant emotion: anger" in anger


def test_the_listing_warns_once_and_names_the_new_line(run):
    assert run.stderr.count("DeprecationWarning") == 1
    assert "from emopy import FERModel" in run.stderr


@pytest.mark.filterwarnings("ignore:`EmoPy:DeprecationWarning")
@pytest.mark.parametrize(("name", "emotion"), IMAGES.items())
def test_the_old_images_are_todays_under_their_old_names(name, emotion):
    with as_file(files("EmoPy.examples") / "image_data" / name) as path:
        assert path.read_bytes() == sample_images()[emotion].read_bytes()
