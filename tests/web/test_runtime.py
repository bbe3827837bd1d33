"""ONNX Runtime in the browser: all of it for models of users, a part for those of the package."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from emopy import FERModel
from emopy.models import InputSpec, ModelCard, write_model_folder
from emopy.samples import sample_images

DIST = Path(__file__).parents[2] / "web" / "dist"
LABELS = ("anger", "fear", "happiness")

PREDICT = """async (settings) => {
  const { FERModel } = await import("/dist/emopy.js");
  const image = await (await fetch("/image.png")).blob();
  const model = await FERModel.load(settings);
  const { faces } = await model.predict(image);
  model.close();
  return faces;
}"""
"""Settings of `FERModel.load` → faces."""


@pytest.fixture
def site(node, tmp_path):
    """A folder with the package, an image and a page."""
    (tmp_path / "dist").symlink_to(DIST)
    shutil.copy(sample_images()["surprise"], tmp_path / "image.png")
    (tmp_path / "index.html").write_text("<!doctype html><title>Runtime</title>", encoding="utf-8")
    return tmp_path


def write_own_model(folder):
    """A model with operators that no model of the package has: the bent mean over the pixels."""
    kernel = np.array([[1.0, -1.0, 0.5]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["crops", "axes"], ["means"], keepdims=0),
        helper.make_node("Erf", ["means"], ["bent"]),
        helper.make_node("MatMul", ["bent", "kernel"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", 48, 48, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
        [
            numpy_helper.from_array(kernel, "kernel"),
            numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    write_model_folder(
        folder,
        card=ModelCard("own", "1", LABELS, InputSpec(48, 48)),
        weights=model.SerializeToString(),
        golden_crops=np.full((1, 48, 48, 1), 255, np.uint8),
        golden_logits=math.erf(1) * kernel,
    )


def test_a_model_of_a_user_is_run_with_all_operators(site, opened):
    write_own_model(site / "own")
    settings = {"model": "./own/", "emotions": [*LABELS]}
    (face,) = opened(site).evaluate(PREDICT, settings)
    (expected,) = FERModel(LABELS, model=site / "own").predict(site / "image.png").faces
    found = [face["probabilities"][label] for label in LABELS]
    assert found == pytest.approx(expected.prediction.probabilities, abs=0.02)


PREDICT_AFTER_A_STOP = """async () => {
  const { FERModel } = await import("/dist/emopy.js");
  const image = await (await fetch("/image.png")).blob();
  const model = await FERModel.load({ model: "emopy-tiny", files: "/changed/", emotions: "all" });
  await model.configure({ emotions: ["anger", "surprise"] });
  const asked = [model.predict(image), model.predict(image), model.predict(image)];
  const labels = (await Promise.all(asked)).map(({ faces }) => Object.keys(faces[0].probabilities));
  const frames = [0, 1].map((time_s) => ({ image, time_s }));
  for await (const { faces } of model.predictVideo(frames)) labels.push(faces[0].track);
  model.close();
  return labels;
}"""
"""Labels of three images that are asked for at once, and tracks of two frames."""

VIDEO_AFTER_A_STOP = """async () => {
  const { FERModel } = await import("/dist/emopy.js");
  const image = await createImageBitmap(await (await fetch("/image.png")).blob());
  const model = await FERModel.load({ model: "emopy-tiny", files: "/changed/" });
  const found = [];
  const frames = [0, 1, 2].map((time_s) => ({ image, time_s }));
  for await (const { faces, frame } of model.predictVideo(frames)) {
    found.push([frame, faces[0].track, faces[0].emotion]);
  }
  model.close();
  return found;
}"""

ERRORS_AFTER_A_STOP = """async () => {
  const { FERModel } = await import("/dist/emopy.js");
  const image = await (await fetch("/image.png")).blob();
  const model = await FERModel.load({ model: "emopy-tiny", files: "/changed/" });
  const texts = [];
  for (let i = 0; i < 3; i++) {
    await model.predict(image).catch(({ name, message }) => texts.push(`${name}: ${message}`));
  }
  model.close();
  return texts;
}"""


@pytest.fixture(scope="module")
def stopping(node, tmp_path_factory):
    """A WebAssembly file that loads the models of the package, and stops in a run of P-Net."""
    path = tmp_path_factory.mktemp("modules") / "stopping.wasm"
    done = node("tests/runtime/stopping_module.js", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def changed(site, stopping):
    """The files of the package, whose small WebAssembly file stops in a run."""
    shutil.copytree(DIST, site / "changed")
    shutil.copy(stopping, site / "changed" / "ort-wasm-bundled.wasm")
    return site / "changed"


def test_an_operator_that_was_left_out_is_run_with_all_of_the_runtime(site, opened):
    shutil.copytree(DIST, site / "changed")
    shutil.rmtree(site / "changed" / "models" / "emopy-tiny")
    write_own_model(site / "changed" / "models" / "emopy-tiny")
    settings = {"model": "emopy-tiny", "files": "/changed/", "emotions": [*LABELS]}
    (face,) = opened(site).evaluate(PREDICT, settings)
    model = FERModel(LABELS, model=site / "changed/models/emopy-tiny")
    (expected,) = model.predict(site / "image.png").faces
    found = [face["probabilities"][label] for label in LABELS]
    assert found == pytest.approx(expected.prediction.probabilities, abs=0.02)


def test_an_operator_that_is_nowhere_is_an_error_not_a_wrong_result(site, opened):
    shutil.copytree(DIST, site / "changed", ignore=shutil.ignore_patterns("*-threaded.wasm"))
    shutil.rmtree(site / "changed" / "models" / "emopy-tiny")
    write_own_model(site / "changed" / "models" / "emopy-tiny")
    settings = {"model": "emopy-tiny", "files": "/changed/", "emotions": [*LABELS]}
    with pytest.raises(Exception, match="It stopped: it needs code that ort-wasm-bundled"):
        opened(site).evaluate(PREDICT, settings)


def test_images_get_their_answers_after_the_runtime_stopped(site, changed, opened):
    labels = [["anger", "surprise"]] * 3
    assert opened(site).evaluate(PREDICT_AFTER_A_STOP) == [*labels, 1, 1]


def test_a_video_continues_after_the_runtime_stopped(site, changed, opened):
    expected = [[frame, 1, "surprise"] for frame in range(3)]
    assert opened(site).evaluate(VIDEO_AFTER_A_STOP) == expected


def test_without_all_of_the_runtime_it_says_to_load_the_page_again(site, changed, opened):
    (changed / "npm" / "ort-wasm-simd-threaded.wasm").unlink()
    expected = (
        "ModelError: ONNX Runtime must run pnet.onnx. It stopped: it needs code that "
        "ort-wasm-bundled.wasm does not have. Load the page again."
    )
    assert opened(site).evaluate(ERRORS_AFTER_A_STOP) == [expected] * 3


@pytest.mark.parametrize("name", ["emopy-base", "emopy-tiny"])
def test_both_modules_give_the_same_results_to_the_last_digit(site, opened, name):
    page = opened(site)
    by_name = page.evaluate(PREDICT, {"model": name})
    by_url = page.evaluate(PREDICT, {"model": f"./dist/models/{name}/"})
    assert by_name == by_url
    assert [face["emotion"] for face in by_name] == ["surprise"]
