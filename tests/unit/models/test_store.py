import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from emopy.errors import InputError, ModelError, ModelNotFoundError
from emopy.files import sha256_of
from emopy.models import (
    InputSpec,
    ModelCard,
    OnnxSession,
    check_model_folder,
    find_keras_model,
    load_model,
    softmax,
    to_tensor,
    update_card,
    write_model_folder,
)

CARD = ModelCard("tiny", "1", ("anger", "fear", "joy"), InputSpec(48, 48))
CROPS = np.random.default_rng(1).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


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


def names_in(folder):
    return sorted(item.name for item in folder.iterdir())


def edit(folder, **changes):
    """Change the card by hand, past all checks."""
    file = folder / "card.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def swap(folder, name, content):
    """Replace a file and put its new checksum into the card, past all checks."""
    (folder / name).write_bytes(content)
    files = {name: sha256_of(folder / name) for name in ("model.onnx", "golden.npz")}
    edit(folder, files=files)


def test_a_written_folder_can_be_loaded_and_gives_its_golden_logits(folder, parts):
    assert names_in(folder) == ["README.md", "card.json", "golden.npz", "model.onnx"]
    model = load_model(folder)
    assert model.path == folder
    assert model.card == CARD.changed(files=model.card.files)
    np.testing.assert_allclose(model.logits(CROPS), parts["golden_logits"], atol=1e-6)
    assert check_model_folder(folder) < 1e-5


def test_nothing_but_the_folder_is_left_after_writing(folder, tmp_path):
    assert names_in(tmp_path) == ["loose.onnx", "tiny"]


def test_a_folder_that_fails_its_check_is_not_written(parts, tmp_path):
    parts["golden_logits"] = parts["golden_logits"] + np.float32(0.01)
    with pytest.raises(ModelError, match=r"golden logits within 0\.001"):
        write_model_folder(tmp_path / "tiny", **parts)
    assert names_in(tmp_path) == ["loose.onnx"]


def test_a_failed_write_leaves_the_older_model_as_it_was(folder, parts):
    with pytest.raises(ModelError):
        write_model_folder(folder, **{**parts, "weights": b"nothing"})
    check_model_folder(folder)


def test_an_older_model_folder_is_replaced(folder, parts, tmp_path):
    write_model_folder(folder, **{**parts, "card": CARD.changed(version="2")})
    assert load_model(folder).card.version == "2"
    assert names_in(tmp_path) == ["loose.onnx", "tiny"]


def test_a_folder_of_something_else_is_never_replaced(parts, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"which holds 'diary\.txt'\. Choose another path"):
        write_model_folder(tmp_path / "mine", **parts)
    with pytest.raises(ModelError, match="must be new, or a model folder"):
        write_model_folder(tmp_path / "file", **parts)
    assert (tmp_path / "mine" / "diary.txt").read_text() == "dear diary"


@pytest.mark.parametrize(
    "crops, logits, reason",
    [
        (CROPS[:0], np.zeros((0, 3), np.float32), "n 1 or more"),
        (CROPS.astype(np.float32), np.zeros((3, 3), np.float32), "must be uint8"),
        (CROPS, np.zeros((3, 3)), "must be float32"),
        (CROPS, np.zeros((2, 3), np.float32), "must be float32 of shape (3,"),
        (CROPS, np.full((3, 3), np.nan, np.float32), "finite"),
        (CROPS, np.zeros((3, 8), np.float32), "3 logits per crop"),
        (CROPS[:, :40], np.zeros((3, 3), np.float32), "crops of shape (48, 48, 1)"),
    ],
)
def test_golden_logits_of_another_form_are_refused(parts, tmp_path, crops, logits, reason):
    with pytest.raises(ModelError) as caught:
        write_model_folder(
            tmp_path / "bad", **{**parts, "golden_crops": crops, "golden_logits": logits}
        )
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"must hold {name}"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_changed_file_is_refused_by_its_checksum(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} must have the SHA-256 of the card"):
        load_model(folder)


@pytest.mark.parametrize(
    "files", [{}, {"model.onnx": "00"}, {"model.onnx": "0", "golden.npz": "0", "../x": "0"}]
)
def test_a_card_that_lists_other_files_is_refused(folder, files):
    edit(folder, files=files)
    with pytest.raises(ModelError, match=r"must list model\.onnx and golden\.npz"):
        load_model(folder)


def test_a_card_of_another_input_size_is_refused(folder):
    np.savez(folder / "g.npz", crops=CROPS[:, :40], logits=np.zeros((3, 3), np.float32))
    swap(folder, "golden.npz", (folder / "g.npz").read_bytes())
    edit(folder, input={"height": 40, "width": 48})
    with pytest.raises(ModelError, match="card and weights do not belong together"):
        load_model(folder)


def test_a_card_with_another_number_of_labels_is_refused(folder, network):
    swap(folder, "model.onnx", network(outputs=8))
    with pytest.raises(ModelError, match=r"3 outputs, one per label .* a graph with 8"):
        load_model(folder)


def test_weights_of_another_training_load_but_fail_the_check(folder):
    weights = (folder / "model.onnx").read_bytes()
    kernel = np.random.default_rng(3).normal(size=(1, 3)).astype(np.float32)
    assert kernel.tobytes() in weights
    swap(folder, "model.onnx", weights.replace(kernel.tobytes(), (kernel * 3).tobytes()))
    load_model(folder)
    with pytest.raises(ModelError, match="not those that were exported"):
        check_model_folder(folder)


def test_damaged_weights_are_refused_though_the_card_has_their_checksum(folder):
    swap(folder, "model.onnx", b"no network")
    with pytest.raises(ModelError, match="sound ONNX file"):
        load_model(folder)


def test_golden_logits_with_pickled_objects_are_refused(folder):
    np.savez(folder / "g.npz", crops=np.array([{}], object), logits=np.zeros((1, 3), np.float32))
    swap(folder, "golden.npz", (folder / "g.npz").read_bytes())
    with pytest.raises(ModelError, match=r"\.npz file with `crops` and `logits`"):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"text"])
def test_golden_logits_that_are_no_npz_file_are_refused(folder, content):
    swap(folder, "golden.npz", content)
    with pytest.raises(ModelError, match=r"\.npz file with `crops` and `logits`"):
        load_model(folder)


def test_a_folder_without_a_card_is_refused(folder):
    (folder / "card.json").unlink()
    with pytest.raises(ModelError, match=r"must hold card\.json"):
        load_model(folder)


def test_a_card_that_is_not_text_is_refused(folder):
    (folder / "card.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="UTF-8"):
        load_model(folder)


def test_a_card_can_be_updated_and_its_readme_follows(folder):
    card = load_model(folder).card
    update_card(folder, card.changed(temperature=1.5, metrics={"valid": {"accuracy": 0.5}}))
    assert load_model(folder).card.temperature == 1.5
    assert "50.0%" in (folder / "README.md").read_text(encoding="utf-8")
    assert len(names_in(folder)) == 4
    check_model_folder(folder)


def test_a_card_of_another_network_is_not_taken(folder):
    card = load_model(folder).card
    with pytest.raises(ModelError, match="must keep the `labels`"):
        update_card(folder, card.changed(labels=("joy", "fear", "anger")))
    with pytest.raises(ModelError, match="must keep the `input`"):
        update_card(folder, card.changed(input=replace(card.input, mean=0.5)))
    assert load_model(folder).card == card


def test_a_folder_may_move_and_hold_other_files(folder, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.move(folder, moved)
    (moved / "notes.txt").write_text("mine")
    check_model_folder(moved)


def test_logits_are_the_same_whatever_the_batch_size(folder):
    model = load_model(folder)
    crops = np.random.default_rng(2).integers(0, 256, (10, 60, 50, 3), dtype=np.uint8)
    np.testing.assert_allclose(model.logits(crops, batch_size=3), model.logits(crops), atol=1e-6)
    np.testing.assert_array_equal(model.logits(iter(crops)), model.logits(list(crops)))
    assert model.logits([]).shape == (0, 3)


def test_a_single_long_crop_is_refused_with_its_own_shape(folder):
    with pytest.raises(InputError, match=r"Received shape \(200, 90, 3\)"):
        load_model(folder).logits(np.zeros((200, 90, 3), np.uint8))


def test_a_network_that_gives_nan_is_refused(folder):
    kernel = np.random.default_rng(3).normal(size=(1, 3)).astype(np.float32)
    broken = (
        (folder / "model.onnx")
        .read_bytes()
        .replace(kernel.tobytes(), np.full_like(kernel, np.nan).tobytes())
    )
    swap(folder, "model.onnx", broken)
    with pytest.raises(ModelError, match="must give finite logits"):
        load_model(folder).logits(CROPS)


def test_an_unknown_name_is_refused_with_what_to_type():
    with pytest.raises(ModelNotFoundError, match="Type: emopy models list"):
        load_model("emopy-frist")


def test_probabilities_follow_the_labels(folder):
    rows = softmax(load_model(folder).logits(CROPS))
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)


@pytest.fixture
def trainable_folder(parts, tmp_path):
    network = tmp_path / "trained.keras"
    network.write_bytes(b"trainable weights")
    return write_model_folder(tmp_path / "tiny", **parts, network=network)


def test_a_folder_may_also_hold_the_trainable_network(trainable_folder):
    folder = trainable_folder
    assert "network.keras" in names_in(folder)
    card, file = find_keras_model(folder)
    assert list(card.files) == ["model.onnx", "golden.npz", "network.keras"]
    assert file == folder / "network.keras"
    assert card.files["network.keras"] == sha256_of(file)
    assert check_model_folder(folder) < 1e-5
    update_card(folder, load_model(folder).card.changed(temperature=2.0))
    assert find_keras_model(folder)[0].temperature == 2.0


def test_prediction_does_without_the_trainable_network(trainable_folder):
    (trainable_folder / "network.keras").unlink()
    assert load_model(trainable_folder).card.files["network.keras"]
    for ask in (find_keras_model, check_model_folder):
        with pytest.raises(ModelError, match=r"must hold network\.keras"):
            ask(trainable_folder)


def test_a_changed_trainable_network_is_refused(trainable_folder):
    (trainable_folder / "network.keras").write_bytes(b"other weights")
    for ask in (find_keras_model, check_model_folder):
        with pytest.raises(ModelError, match="SHA-256"):
            ask(trainable_folder)


def test_a_folder_without_a_trainable_network_says_how_to_export_one(folder):
    with pytest.raises(ModelNotFoundError, match='trainable="always"'):
        find_keras_model(folder)


def test_a_folder_is_replaced_by_one_without_a_trainable_network(trainable_folder, parts):
    write_model_folder(trainable_folder, **parts)
    assert "network.keras" not in names_in(trainable_folder)


def test_a_card_that_lists_a_strange_file_is_refused(folder):
    files = load_model(folder).card.files
    edit(folder, files={**files, "setup.py": files["model.onnx"]})
    with pytest.raises(ModelError, match=r"may list network\.keras"):
        load_model(folder)
