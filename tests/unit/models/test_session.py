from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from emopy.errors import InputError, ModelError
from emopy.models import OnnxSession, softmax
from emopy.models.session import open_session, without_arena


def noise(*shape):
    return np.random.default_rng(5).random(shape, dtype=np.float32)


def test_a_network_gives_logits_for_any_number_of_crops(onnx_file):
    session = OnnxSession(onnx_file(outputs=3))
    assert (session.input_shape, session.outputs) == ((48, 48, 1), 3)
    assert session.providers[-1] == "cpu"
    tensor = noise(7, 48, 48, 1)
    together = session.run(tensor)
    assert together.shape == (7, 3)
    assert together.dtype == np.float32
    np.testing.assert_allclose(session.run(tensor[2:3])[0], together[2], rtol=1e-6)
    assert session.run(tensor[:0]).shape == (0, 3)


def test_eight_threads_get_the_same_logits_from_one_session(onnx_file):
    session = OnnxSession(onnx_file(), threads=2)
    tensor = noise(9, 48, 48, 1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: session.run(tensor), range(32)))
    for answer in answers:
        np.testing.assert_array_equal(answer, answers[0])


@pytest.mark.parametrize(
    "tensor", [noise(2, 48, 47, 1), noise(48, 48, 1), noise(2, 48, 48, 1).astype(np.float64)]
)
def test_a_tensor_of_another_form_is_refused(onnx_file, tensor):
    with pytest.raises(InputError, match=r"must be float32 of shape \(n, 48, 48, 1\)"):
        OnnxSession(onnx_file()).run(tensor)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda _: b"",
        lambda _: b"no network",
        lambda b: b[9:],
        lambda b: b.replace(b"MatMul", b"MatMu\xff"),  # not UTF-8
        lambda b: b.replace(b"crops", b"crop\xff"),
        lambda b: b.replace(b"logits", b"logit\xff"),
    ],
)
def test_a_damaged_file_is_refused_without_a_word_on_the_screen(onnx_file, damage, capfd):
    path = onnx_file()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"must be a sound ONNX file. Received .*net\.onnx"):
        OnnxSession(path)
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        OnnxSession(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    "settings, reason",
    [
        ({"batch": 1}, "free batch size"),
        ({"extra_output": True}, "one float output"),
        ({"kind": onnx.TensorProto.DOUBLE}, "one float input"),
    ],
)
def test_a_graph_of_another_form_is_refused(onnx_file, settings, reason):
    with pytest.raises(ModelError, match=reason):
        OnnxSession(onnx_file(**settings))


def test_weights_in_a_second_file_are_refused(network, tmp_path):
    path = tmp_path / "net.onnx"
    # Long enough a kernel to be moved out; the axes stay in.
    model = onnx.load_from_string(network(outputs=4000))
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=1024)
    assert (tmp_path / "w.bin").stat().st_size > 1024
    with pytest.raises(ModelError, match="sound ONNX file"):
        OnnxSession(path)


def test_providers_can_be_named(onnx_file):
    for named in (["cpu"], "cpu", None, ["cpu", "cpu"]):
        assert OnnxSession(onnx_file(), providers=named).providers == ("cpu",)


@pytest.mark.parametrize(
    "settings, reason",
    [
        ({"providers": ["cdua"]}, "Did you mean 'cuda'"),
        ({"providers": []}, "must not be empty. Available: .*cpu"),
        ({"threads": 0}, "`threads` must be 1 or more"),
    ],
)
def test_bad_settings_are_refused(onnx_file, settings, reason):
    with pytest.raises(InputError, match=reason):
        OnnxSession(onnx_file(), **settings)


def test_softmax_gives_probabilities_even_for_huge_logits():
    rows = softmax(np.array([[1e6, 0, -1e6], [3, 3, 3]]))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)


def test_a_higher_temperature_gives_more_even_probabilities():
    logits = np.array([2.0, 0.0])
    sharp, flat = softmax(logits, 0.5), softmax(logits, 5.0)
    np.testing.assert_allclose(sharp[0], 1 / (1 + np.exp(-4)), rtol=1e-6)
    assert sharp[0] > flat[0] > 0.5


def test_the_arena_is_left_out_inside_the_block_only(onnx_file):
    path, tensor = onnx_file(), noise(2, 48, 48, 1)
    before = open_session(path)
    with without_arena():
        inside = open_session(path)
    after = open_session(path)
    found = [each.get_session_options().enable_cpu_mem_arena for each in (before, inside, after)]
    assert found == [True, False, True]
    name = inside.get_inputs()[0].name
    expected, same = (each.run(None, {name: tensor})[0] for each in (before, inside))
    np.testing.assert_array_equal(same, expected)
