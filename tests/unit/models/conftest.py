import http.server
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emopy.models import InputSpec, ModelCard, OnnxSession, to_tensor, write_model_folder

CARD = ModelCard("tiny", "1", ("anger", "fear", "joy"), InputSpec(48, 48))
CROPS = np.random.default_rng(1).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


@pytest.fixture
def network():
    """Builder of one-layer networks, as ONNX bytes: mean over the pixels, then a matrix."""

    def build(outputs=3, shape=(48, 48, 1), batch="n", extra_output=False, kind=TensorProto.FLOAT):
        kernel = np.random.default_rng(outputs).normal(size=(shape[-1], outputs))
        axes = np.arange(1, len(shape), dtype=np.int64)
        nodes = [
            helper.make_node("Cast", ["crops"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["real", "axes"], ["means"], keepdims=0),
            helper.make_node("MatMul", ["means", "kernel"], ["logits"]),
        ]
        results = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, outputs])]
        if extra_output:
            mean_shape = [batch, shape[-1]]
            results.append(helper.make_tensor_value_info("means", TensorProto.FLOAT, mean_shape))
        graph = helper.make_graph(
            nodes,
            "means",
            [helper.make_tensor_value_info("crops", kind, [batch, *shape])],
            results,
            [
                numpy_helper.from_array(kernel.astype(np.float32), "kernel"),
                numpy_helper.from_array(axes, "axes"),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.checker.check_model(model)
        return model.SerializeToString()

    return build


@pytest.fixture
def onnx_file(network, tmp_path):
    def write(**settings):
        path = tmp_path / "net.onnx"
        path.write_bytes(network(**settings))
        return path

    return write


@pytest.fixture
def server():
    """A real HTTP server on this machine; ``server.pages`` maps a path to what it answers."""

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.visits.append(self.path)
            status, body, announced = self.server.pages.get(self.path, (404, b"", 0))
            self.send_response(status, self.server.phrase)
            self.send_header("Content-Length", str(announced))
            if self.server.location:
                self.send_header("Location", self.server.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as running:
        running.pages = {}
        running.visits = []
        running.phrase = running.location = None
        running.address = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def parts(network, tmp_path):
    """What write_model_folder wants, for a network that is right."""
    loose = tmp_path / "loose.onnx"
    loose.write_bytes(network(outputs=3))
    logits = OnnxSession(loose).run(to_tensor(CROPS, CARD.input))
    return {
        "card": CARD,
        "weights": loose.read_bytes(),
        "golden_crops": CROPS,
        "golden_logits": logits,
    }


@pytest.fixture
def folder(parts, tmp_path):
    return write_model_folder(tmp_path / "tiny", **parts)


@pytest.fixture
def trainable_folder(parts, tmp_path):
    network = tmp_path / "trained.keras"
    network.write_bytes(b"trainable weights")
    return write_model_folder(tmp_path / "tiny", **parts, network=network)
