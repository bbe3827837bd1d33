import numpy as np
import pytest

from emopy.errors import InputError, ModelError, ModelNotFoundError
from emopy.faces import YuNet, get_detector
from emopy.faces.yunet import _to_face
from emopy.types import Box


def test_a_missing_file_lists_the_command_to_fetch_it():
    with pytest.raises(ModelNotFoundError, match="emopy models fetch yunet"):
        get_detector("yunet")


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"gone\.onnx"):
        YuNet(tmp_path / "gone.onnx")


def test_a_file_that_is_no_network_is_refused(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    with pytest.raises(ModelError, match=r"broken\.onnx must be a YuNet network"):
        YuNet(path)


def network(bias):
    """A network with the outputs of YuNet that finds the same face in every cell."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights, outputs = [], [], []
    for stride in (8, 16, 32):
        for name, columns in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            kernel = np.zeros((columns, 3, stride, stride), np.float32)
            value = np.full(columns, bias if columns == 1 else 0, np.float32)
            here = f"{name}_{stride}"
            weights += [
                numpy_helper.from_array(kernel, f"k_{here}"),
                numpy_helper.from_array(value, f"b_{here}"),
                numpy_helper.from_array(np.array([1, -1, columns]), f"s_{here}"),
            ]
            maps = ["input", f"k_{here}", f"b_{here}"]
            nodes += [
                helper.make_node("Conv", maps, [f"c_{here}"], strides=[stride] * 2,
                                 kernel_shape=[stride] * 2),
                helper.make_node("Transpose", [f"c_{here}"], [f"t_{here}"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"t_{here}", f"s_{here}"], [here]),
            ]  # fmt: skip
            cells = (320 // stride) ** 2
            outputs.append(
                helper.make_tensor_value_info(here, TensorProto.FLOAT, [1, cells, columns])
            )
    size = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 320, 320])
    graph = helper.make_graph(nodes, "net", [size], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def test_a_network_is_opened_from_memory_whatever_letters_its_path_has(tmp_path, monkeypatch):
    import cv2

    path = tmp_path / "Ő網" / "net.onnx"
    path.parent.mkdir()
    path.write_bytes(network(bias=1.0))
    expected = cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.7, 0.3, 5000)
    image = np.zeros((320, 320, 3), np.uint8)
    rows = expected.detect(image)[1]
    usual = cv2.FaceDetectorYN.create

    def create(framework, *more):
        assert framework == "onnx"
        return usual(framework, *more)

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", create)
    faces = YuNet(path)(image)
    assert len(faces) == len(rows) > 100


@pytest.mark.parametrize("settings", [{"min_score": 0.0}, {"max_side_px": 8}])
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(InputError, match=f"`{next(iter(settings))}` must be"):
        YuNet(**settings)


def test_a_row_of_the_network_becomes_a_face_in_pixels_of_the_image():
    row = np.array([10, 20, 30, 40, 12, 25, 32, 26, 22, 35, 14, 50, 30, 51, 1.01], np.float32)
    face = _to_face(row, np.array([2.0, 3.0], np.float32))
    assert face.box == Box(20, 60, 80, 180)
    assert face.score == 1.0
    assert face.landmarks is not None
    np.testing.assert_array_equal(face.landmarks[:2], [[24, 75], [64, 78]])
    assert face.landmarks[0, 0] < face.landmarks[1, 0]
