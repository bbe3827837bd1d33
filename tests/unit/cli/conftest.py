"""A model of clips."""

import numpy as np
import pytest

from emopy.labels import ALL_EMOTIONS
from emopy.models import InputSpec, ModelCard, OnnxSession, to_tensor, write_model_folder


@pytest.fixture(scope="session")
def clip_model(tmp_path_factory):
    """A model of clips of two frames: one layer with fixed weights."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    spec = InputSpec(height=48, width=48, channels=1, frames=2, mean=0.5, std=0.25)
    size, labels = int(np.prod(spec.shape)), len(ALL_EMOTIONS)
    kernel = np.random.default_rng(7).normal(0, 0.02, (size, labels)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["clips"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "kernel"], ["logits"]),
        ],
        "linear",
        [helper.make_tensor_value_info("clips", TensorProto.FLOAT, ["n", *spec.shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", labels])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(whole)
    folder = tmp_path_factory.mktemp("models") / "clips"
    loose = folder.with_name("loose.onnx")
    loose.write_bytes(whole.SerializeToString())
    clips = np.random.default_rng(8).integers(0, 256, (4, *spec.shape), np.uint8)
    card = ModelCard(
        name="clips",
        version="1",
        labels=ALL_EMOTIONS,
        input=spec,
        data="random numbers",
        licence="Apache-2.0",
        intended_use="tests",
    )
    return write_model_folder(
        folder,
        card=card,
        weights=loose.read_bytes(),
        golden_crops=clips,
        golden_logits=OnnxSession(loose).run(to_tensor(clips, spec)),
    )
