import numpy as np
import pytest

from emopy import FERModel
from emopy.cli.main import main
from emopy.data import Dataset
from emopy.errors import DataError, ModelError
from emopy.evaluate import evaluate
from emopy.models import InputSpec, check_model_folder, load_model, update_card
from emopy.nets import get_net
from emopy.nets.registry import load_keras_model
from emopy.samples import sample_stills
from emopy.train import export, quantize


@pytest.fixture(scope="module")
def some():
    """64 of the stills, of all emotions."""
    stills = sample_stills()
    return stills.take(range(0, len(stills), len(stills) // 64))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The bundled model in 32 bits, from its trainable network."""
    card, network = load_keras_model("emopy-base")
    folder = tmp_path_factory.mktemp("float") / "original"
    export(network, folder, labels=card.labels, spec=card.input)
    update_card(folder, lambda own: own.changed(temperature=card.temperature))
    return folder


@pytest.fixture(scope="module")
def small(original, tmp_path_factory):
    """The same with 8-bit weights."""
    return quantize(original, sample_stills(), tmp_path_factory.mktemp("int8") / "small")


def test_a_quantized_model_has_a_quarter_of_the_size_and_says_int8(small, original):
    sizes = [(folder / "model.onnx").stat().st_size for folder in (small, original)]
    assert sizes[0] < 0.28 * sizes[1]
    card, old = load_model(small).card, load_model(original).card
    assert (card.precision, old.precision) == ("int8", "float32")
    assert card.training["quantization"]["samples"] == min(512, len(sample_stills()))
    assert card.temperature == old.temperature
    assert not card.metrics


def test_a_quantized_model_predicts_like_the_original(small, original):
    faces = sample_stills()
    large, quantized = (FERModel("all", model=m, detector="full-image") for m in (original, small))
    pairs = list(
        zip(large.predict_faces(faces.images), quantized.predict_faces(faces.images), strict=True)
    )
    assert np.mean([a.emotion == b.emotion for a, b in pairs]) > 0.95
    assert np.mean([abs(a.probabilities - b.probabilities).max() for a, b in pairs]) < 0.05
    before, after = (evaluate(model, faces).accuracy for model in (original, small))
    assert after == pytest.approx(before, abs=0.02)


def test_a_quantized_model_passes_its_check_and_a_changed_one_fails(
    small, original, some, tmp_path
):
    assert check_model_folder(small) < 0.2
    other = quantize(original, some, tmp_path / "other", samples=32, name="other")
    assert load_model(other).card.name == "other"
    (other / "model.onnx").write_bytes((small / "model.onnx").read_bytes())
    with pytest.raises(ModelError, match="SHA-256"):
        check_model_folder(other)


def test_a_quantized_model_and_an_empty_dataset_are_refused(small, original, tmp_path):
    with pytest.raises(ModelError, match="computes with int8 already"):
        quantize(small, sample_stills(), tmp_path / "again")
    with pytest.raises(DataError, match="must hold faces"):
        quantize(original, sample_stills().take([]), tmp_path / "none")


def test_the_command_writes_a_folder_and_prints_its_path_alone(original, some, tmp_path, capsys):
    data = some.save(tmp_path / "faces.npz")
    out = tmp_path / "int8"
    line = ["models", "quantize", str(original), str(data), "--out", str(out), "--name", "mine"]
    assert main(line) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert load_model(out).card.name == "mine"


def test_the_number_of_samples_may_leave_an_incomplete_batch(original, some, tmp_path):
    folder = quantize(original, some.take(range(45)), tmp_path / "small")
    assert check_model_folder(folder) < 0.2


def test_a_recurrent_network_is_quantized(tmp_path):
    clips = np.random.default_rng(0).integers(0, 256, (8, 2, 16, 16, 1), np.uint8)
    labels, targets = ("anger", "fear"), np.eye(2, dtype=np.float32)[[0, 1] * 4]
    faces = Dataset(clips, targets, labels, np.full(8, ""), np.full(8, "made-up"))
    network = get_net("ConvolutionalLstmNN")((2, 16, 16, 1), 2, filters=4)
    spec = InputSpec(16, 16, frames=2)
    original = export(network, tmp_path / "original", labels=labels, spec=spec)
    small = quantize(original, faces, tmp_path / "small")
    assert check_model_folder(small) < 0.2
    before, after = (load_model(folder).logits(clips) for folder in (original, small))
    np.testing.assert_allclose(after, before, atol=0.1)


@pytest.mark.parametrize("samples", [0, -1])
def test_no_samples_are_refused(original, some, tmp_path, samples):
    with pytest.raises(DataError, match="`samples` must be 1 or more"):
        quantize(original, some, tmp_path / "small", samples=samples)
    assert not any(tmp_path.iterdir())
