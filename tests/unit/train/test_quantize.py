import numpy as np
import pytest

from emopy import FERModel
from emopy.cli.main import main
from emopy.data.samples import sample_stills
from emopy.errors import DataError, ModelError
from emopy.evaluate import evaluate
from emopy.models import check_model_folder, find_model, load_model
from emopy.train import quantize


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The bundled model, or its float twin, with 8-bit weights."""
    return quantize("emopy-base", sample_stills(), tmp_path_factory.mktemp("int8") / "small")


def test_the_copy_is_a_quarter_of_the_size_and_says_what_it_is(small):
    sizes = [(folder / "model.onnx").stat().st_size for folder in (small, find_model("emopy-base"))]
    assert sizes[0] < 0.35 * sizes[1]
    card, old = load_model(small).card, load_model("emopy-base").card
    assert (card.precision, old.precision) == ("int8", "float32")
    assert card.training["quantisation"]["samples"] == min(512, len(sample_stills()))
    assert card.temperature == old.temperature
    assert not card.metrics


def test_the_copy_answers_as_the_model_does(small):
    faces = sample_stills()
    whole, shrunk = (FERModel("all", model=m, detector="whole") for m in ("emopy-base", small))
    pairs = list(
        zip(whole.predict_faces(faces.images), shrunk.predict_faces(faces.images), strict=True)
    )
    assert np.mean([a.emotion == b.emotion for a, b in pairs]) > 0.95
    assert np.mean([abs(a.probabilities - b.probabilities).max() for a, b in pairs]) < 0.05
    before, after = (evaluate(model, faces).accuracy for model in ("emopy-base", small))
    assert after == pytest.approx(before, abs=0.02)


def test_the_copy_passes_its_own_check_and_one_that_was_changed_does_not(small, tmp_path):
    assert check_model_folder(small) < 0.2
    other = quantize("emopy-base", sample_stills(), tmp_path / "other", samples=32, name="other")
    assert load_model(other).card.name == "other"
    (other / "model.onnx").write_bytes((small / "model.onnx").read_bytes())
    with pytest.raises(ModelError, match="SHA-256"):
        check_model_folder(other)


def test_what_computes_with_integers_already_and_no_faces_are_refused(small, tmp_path):
    with pytest.raises(ModelError, match="computes with int8 already"):
        quantize(small, sample_stills(), tmp_path / "again")
    with pytest.raises(DataError, match="must hold faces"):
        quantize("emopy-base", sample_stills().take([]), tmp_path / "none")


def test_the_command_writes_a_folder_and_prints_its_path_alone(tmp_path, capsys):
    data = sample_stills().save(tmp_path / "faces.npz")
    out = tmp_path / "int8"
    line = ["models", "quantize", "emopy-base", str(data), "--out", str(out), "--name", "mine"]
    assert main(line) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert load_model(out).card.name == "mine"


def test_a_number_of_faces_that_makes_no_whole_batches_is_no_obstacle(tmp_path):
    faces = sample_stills()
    for count in (5, 45):
        some = faces.take(range(count))
        assert check_model_folder(quantize("emopy-base", some, tmp_path / str(count))) < 0.2
