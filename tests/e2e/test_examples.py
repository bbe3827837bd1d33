"""Each script in `examples/` runs, with tiny settings, and does what it says."""

import os
import re
import runpy
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest

from emopy import FERModel
from emopy.data import DirectoryDataLoader, split
from emopy.errors import InputError
from emopy.evaluate import evaluate
from emopy.labels import STANDARD_EMOTIONS
from emopy.samples import (
    sample_clip_splits,
    sample_clips,
    sample_images,
    sample_splits,
    sample_stills,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs `main` of an example in an empty folder and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(name, *arguments):
        runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]([str(word) for word in arguments])
        return capsys.readouterr().out

    return call


@pytest.fixture
def video(tmp_path):
    """Six composites in a row, as a Motion JPEG video."""
    path = tmp_path / "video.avi"
    images = [cv2.imread(str(file)) for file in list(sample_images().values())[:6]]
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(cv2.resize(image, (width, height)))
    writer.release()
    return path


def check_accuracy(talk, folder, faces, line=r"^accuracy (\d+\.\d)%; chance: 14.3%"):
    """The accuracy that was printed is the one that the written model has."""
    (said,) = re.findall(line, talk, re.MULTILINE)
    assert float(said) / 100 == pytest.approx(evaluate(folder, faces).accuracy, abs=6e-4)


def check_model(folder, crops):
    """The folder is a whole model, and its answers are probabilities."""
    predictions = FERModel(model=folder).predict_faces(crops)
    assert len(predictions) == len(crops)
    for prediction in predictions:
        assert prediction.labels == STANDARD_EMOTIONS
        assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)


# What every example owes


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_is_short_explained_and_in_the_table(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert text.startswith('"""')
    assert f"[{name}.py]({name}.py)" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_example_is_tried_here(name):
    assert f'run("{name}"' in Path(__file__).read_text(encoding="utf-8")


# Prediction


def test_the_predictor_says_what_each_sample_image_shows(run):
    talk = run("predictor")
    shown = {
        emotion: talk.split(f"{path}\n")[1].split(",")[0].strip()
        for emotion, path in sample_images().items()
    }
    assert shown["happiness"] == "happiness"
    assert sum(emotion == answer for emotion, answer in shown.items()) >= 5


def test_the_predictor_chooses_among_some_emotions_and_outlives_a_bad_file(run, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    words = ("bad.jpg", sample_images()["happiness"], "--emotions", "calm,anger,happiness")
    talk = run("predictor", *words)
    assert "bad.jpg" in talk
    assert "happiness, in a box of" in talk
    assert "surprise" not in talk


def test_the_webcam_example_follows_a_video_to_its_end_on_a_page(run, video):
    talk = run("webcam", video)
    assert re.match(r"Open http://127\.0\.0\.1:\d+/\S+/ in a browser\n", talk)
    seen = re.findall(r"^(\d\.\d) s \(\d+, '(\w+)'\)", talk, re.MULTILINE)
    assert seen[0] == ("0.0", "anger")
    assert [float(moment) for moment, _ in seen] == sorted({float(moment) for moment, _ in seen})
    assert len(seen) >= 3


def test_the_webcam_example_is_a_dozen_lines_of_code():
    code = (EXAMPLES / "webcam.py").read_text(encoding="utf-8").split('"""')[2]
    assert len([line for line in code.splitlines() if line.strip()]) == 12


def test_the_webcam_example_ends_quietly_with_ctrl_c(video, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # nobody writes into it: it waits for the first frame
    words = [sys.executable, str(EXAMPLES / "webcam.py"), str(pipe)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            with pipe.open("wb"):  # as soon as it is opened to be read
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=90)
        finally:
            process.kill()
    assert (process.returncode, said) == (0, "")


def test_the_webcam_example_says_what_is_missing(run):
    with pytest.raises(InputError, match=re.escape("missing.avi")):
        run("webcam", "missing.avi")


# Training, an extra


if find_spec("keras"):

    def test_the_plain_network_becomes_a_model(run, sample_files):
        talk = run("convolutional", "--epochs", 1, "--filters", 4, "--out", "model")
        check_accuracy(talk, "model", sample_splits().test)
        assert "test/anger/000: " in talk
        check_model("model", sample_stills().images[:3])

    def test_the_regularized_network_is_calibrated(run):
        talk = run("convolutional_dropout", "--epochs", 2, "--filters", 4, "--out", "model")
        test = sample_splits().test
        check_accuracy(talk, "model", test)
        before, after = map(float, re.search(r"log loss ([\d.]+) → ([\d.]+)", talk).groups())
        assert before != after
        assert after == pytest.approx(evaluate("model", test).log_loss, abs=6e-4)
        assert FERModel(model="model").card.temperature != 1
        check_model("model", sample_stills().images[:3])

    def test_the_recurrent_network_predicts_clips(run):
        talk = run("convolutional_lstm", "--epochs", 1, "--filters", 2, "--out", "model")
        check_accuracy(talk, "model", sample_clip_splits(frames=4).test)
        assert len(re.findall(r"^frame \d: +\d+\.\d% █+$", talk, re.MULTILINE)) == 8
        check_model("model", sample_clips(frames=4).images[:3])

    def test_the_3d_network_predicts_clips_forwards_and_backwards(run):
        talk = run("time_delay", "--epochs", 1, "--filters", 2, "--frames", 3, "--out", "model")
        test = sample_clip_splits(frames=3).test
        check_accuracy(talk, "model", test)
        backwards = replace(test, images=test.images[:, ::-1])
        check_accuracy(talk, "model", backwards, r"^the same clips backwards: accuracy (.*)%$")
        check_model("model", sample_clips(frames=3).images[:3])

    def test_transfer_learning_is_more_accurate_than_training_from_scratch(run):
        talk = run("transfer_learning", "--epochs", 4, "--faces", 8, "--out", "models")
        transfer, scratch = (float(percent) for percent in re.findall(r"accuracy (\d+\.\d)%", talk))
        assert transfer > scratch + 10
        check_model("models/TransferLearningNN", sample_stills().images[:3])

    def test_a_folder_of_faces_becomes_a_model(run, sample_files):
        talk = run("own_folder", "--epochs", 1, "--out", "mine")
        assert "No problem found." in talk
        data = DirectoryDataLoader(sample_files / "stills" / "train").load_data()
        test = split(data, validation=0.15, calibration=0.15, test=0.15, seed=0).test
        check_accuracy(talk, "mine", test, r"^accuracy +(\d+\.\d+)%$")
        card = FERModel(model="mine").card
        assert (card.name, card.labels) == ("mine", STANDARD_EMOTIONS)
        assert card.training["calibration"]["samples"] > 0
        check_model("mine", sample_stills().images[:3])

    def test_classical_features_tell_expressions_apart(run):
        talk = run("classical_features", "--epochs", 1, "--out", "model")
        percentages = [float(percent) for percent in re.findall(r"(\d+\.\d)%$", talk, re.MULTILINE)]
        assert len(percentages) == 7
        assert min(percentages[:6]) > 100 / 7
        check_model("model", sample_stills().images[:3])
