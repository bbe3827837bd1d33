import numpy as np
import onnx
import onnxruntime
import pytest

from emopy.faces.mtcnn_networks import build_onet, build_pnet, build_rnet
from emopy.models.onnx_graph import GraphBuilder, read_weights
from emopy.models.session import open_graph
from tests.unit.faces import reference_mtcnn

BUILD = {"pnet": build_pnet, "rnet": build_rnet, "onet": build_onet}


def built(name):
    return BUILD[name](read_weights(reference_mtcnn.WEIGHTS / f"{name}.onnx"))


def run(name, images):
    return open_graph(built(name), name).run(None, {GraphBuilder.input_name: images})[0]


def images(astronaut, count, height, width):
    """Parts of a photograph, one of noise and one white."""
    rng = np.random.default_rng(4)
    corners = rng.integers(0, 512 - max(height, width), (count - 2, 2))
    parts = [astronaut[y : y + height, x : x + width] for y, x in corners]
    noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.stack([*parts, noise, np.full_like(noise, 255)])


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


@pytest.mark.parametrize("name", BUILD)
def test_the_graph_is_valid(name):
    onnx.checker.check_model(onnx.load_from_string(built(name)), full_check=True)


@pytest.mark.parametrize("name", BUILD)
def test_the_graph_gives_the_same_as_it_stands(astronaut, name):
    """On processors without blocks of channels nothing is rearranged or padded."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain = onnxruntime.InferenceSession(built(name), options)
    side = {"pnet": 37, "rnet": 24, "onet": 48}[name]
    batch = images(astronaut, 5, side, side)
    (found,) = plain.run(None, {GraphBuilder.input_name: batch})
    np.testing.assert_allclose(found, run(name, batch), atol=1e-4)


@pytest.mark.parametrize("shape", [(12, 12), (13, 18), (31, 40), (96, 115)])
def test_pnet_gives_the_numbers_of_the_published_graph(astronaut, shape):
    batch = images(astronaut, 4, *shape)
    offsets, both = reference_mtcnn.run("pnet", batch)
    output = run("pnet", batch).transpose(0, 3, 2, 1)
    np.testing.assert_allclose(output[..., :4], offsets, atol=1e-5)
    np.testing.assert_allclose(sigmoid(output[..., 4]), both[..., 1], atol=2e-5)


def test_rnet_gives_the_numbers_of_the_published_graph(astronaut):
    batch = images(astronaut, 40, 24, 24)
    offsets, both = reference_mtcnn.run("rnet", batch)
    output = run("rnet", batch)
    np.testing.assert_allclose(output[:, :4], offsets, atol=1e-5)
    np.testing.assert_allclose(sigmoid(output[:, 4]), both[:, 1], atol=2e-5)


def test_onet_gives_the_numbers_of_the_published_graph(astronaut):
    batch = images(astronaut, 20, 48, 48)
    offsets, points, both = reference_mtcnn.run("onet", batch)
    output = run("onet", batch)
    np.testing.assert_allclose(output[:, :4], offsets, atol=1e-5)
    np.testing.assert_allclose(output[:, 4:14], points, atol=1e-5)
    np.testing.assert_allclose(sigmoid(output[:, 14]), both[:, 1], atol=2e-5)
