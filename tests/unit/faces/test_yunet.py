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
