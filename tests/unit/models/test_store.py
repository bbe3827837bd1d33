import json
import shutil
import sys

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from emopy.errors import InputError, ModelError, ModelNotFoundError
from emopy.files import sha256_of
from emopy.models import (
    InputSpec,
    ModelCard,
    check_model_folder,
    find_keras_model,
    find_model,
    list_models,
    load_model,
    softmax,
    store,
    update_card,
)

CARD = ModelCard("tiny", "1", ("anger", "fear", "joy"), InputSpec(48, 48))
CROPS = np.random.default_rng(1).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


@pytest.fixture
def bundled(linear_model, tmp_path, monkeypatch):
    """A folder of bundled models with one in it."""
    folder = tmp_path / "bundled"
    shutil.copytree(linear_model, folder / "happy-net")
    monkeypatch.setattr(store, "_BUNDLED", folder)
    return folder


@pytest.fixture
def package(linear_model, tmp_path, monkeypatch):
    """Installs a package with entry points of `emopy.models`."""

    def install(offers, code):
        site = tmp_path / "site"
        info = site / "shop-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1\n")
        lines = [f"{name} = {target}" for name, target in offers.items()]
        (info / "entry_points.txt").write_text("[emopy.models]\n" + "\n".join(lines))
        (site / "emopy_test_shop.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "emopy_test_shop", raising=False)

    return install


def test_a_folder_is_found_by_its_path(linear_model, monkeypatch):
    assert find_model(linear_model) == linear_model
    assert find_model(str(linear_model)) == linear_model
    monkeypatch.chdir(linear_model.parent)
    assert load_model(linear_model.name).card.name == "linear"


def test_a_bundled_model_is_found_by_its_name(bundled):
    assert find_model("happy-net") == bundled / "happy-net"
    assert "happy-net" in list_models()


def test_a_bundled_model_is_found_beside_an_unrelated_folder_of_its_name(
    bundled, tmp_path, monkeypatch
):
    (tmp_path / "happy-net").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_model("happy-net") == bundled / "happy-net"


def test_models_of_a_package_are_found_as_a_path_or_as_a_callable(package, linear_model):
    package(
        {"shop-path": "emopy_test_shop:PATH", "shop-call": "emopy_test_shop:path"},
        f"PATH = {str(linear_model)!r}\ndef path():\n    return PATH\n",
    )
    assert find_model("shop-path") == find_model("shop-call") == linear_model
    assert {"shop-path", "shop-call"} <= set(list_models())


def test_a_package_that_does_not_load_is_named(package):
    package({"shop": "emopy_test_shop:MISSING", "number": "emopy_test_shop:NUMBER"}, "NUMBER = 5\n")
    with pytest.raises(ModelError, match="entry point 'shop' must load"):
        find_model("shop")
    with pytest.raises(ModelError, match=r"must give the path of a model folder\. Received int"):
        find_model("number")


def test_a_fetched_model_is_found_by_its_name(linear_model):
    shutil.copytree(linear_model, store.models_folder() / "fetched-net")
    assert load_model("fetched-net").card.name == "linear"
    assert "fetched-net" in list_models()


def test_an_unknown_name_suggests_the_nearest_one(bundled):
    with pytest.raises(ModelNotFoundError, match="Did you mean 'happy-net'"):
        find_model("hapy-net")


def test_an_unknown_path_is_refused(tmp_path):
    with pytest.raises(ModelNotFoundError, match="no such folder"):
        find_model(tmp_path / "none")


def test_a_folder_without_a_card_is_not_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"must hold card\.json"):
        find_model(tmp_path)


def test_a_run_folder_names_its_model_folder(linear_model, tmp_path):
    shutil.copytree(linear_model, tmp_path / "mine" / "model")
    with pytest.raises(ModelError, match=r"whose model is .*mine/model: give that"):
        find_model(tmp_path / "mine")


def test_the_name_of_a_detector_is_recognized():
    with pytest.raises(ModelNotFoundError, match="which is a face detector"):
        find_model("yunet")


def test_without_any_model_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_BUNDLED", tmp_path / "nothing")
    assert list_models() == ()
    with pytest.raises(ModelNotFoundError, match="No model is installed"):
        find_model("any")


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


def test_any_damage_to_golden_logits_is_a_model_error(folder):
    whole, rng = (folder / "golden.npz").read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 6)):
            damaged[place] = rng.integers(256)
        (folder / "golden.npz").write_bytes(damaged[: rng.integers(1, len(whole) + 200)])
        try:
            store.read_golden(folder)
        except ModelError:
            refused += 1
    assert refused > 100


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


def test_a_model_that_returns_nan_is_refused(folder):
    kernel = np.random.default_rng(3).normal(size=(1, 3)).astype(np.float32)
    broken = (
        (folder / "model.onnx")
        .read_bytes()
        .replace(kernel.tobytes(), np.full_like(kernel, np.nan).tobytes())
    )
    swap(folder, "model.onnx", broken)
    with pytest.raises(ModelError, match="must give finite logits"):
        load_model(folder).logits(CROPS)


@pytest.mark.parametrize(
    ("last_node", "attributes"),
    [
        (["Concat", ["computed"] * 2], {"axis": 0}),
        (["Compress", ["computed", "kept"]], {"axis": 1}),
    ],
    ids=["more rows than crops", "fewer columns than labels"],
)
def test_a_model_that_returns_another_shape_than_it_declares_is_refused(
    folder, last_node, attributes
):
    model = onnx.load(folder / "model.onnx")
    model.graph.node[-1].output[0] = "computed"
    model.graph.initializer.append(numpy_helper.from_array(np.array([True, False]), "kept"))
    model.graph.node.append(helper.make_node(*last_node, ["logits"], **attributes))
    swap(folder, "model.onnx", model.SerializeToString())
    with pytest.raises(ModelError, match=r"must give float32 logits of shape \(3, 3\). Received"):
        load_model(folder).logits(CROPS)


def test_a_folder_that_cannot_be_read_hides_no_other_model(bundled, monkeypatch):
    (bundled / "empty").mkdir()
    (bundled / "loop").mkdir()
    (bundled / "loop" / "card.json").symlink_to("card.json")
    (bundled / "folder" / "card.json").mkdir(parents=True)
    assert list_models() == ("happy-net",)
    with pytest.raises(ModelNotFoundError, match="Type: emopy models list"):
        find_model("n" * 5000)
    monkeypatch.setattr(store, "models_folder", lambda: bundled / "x" / ("n" * 5000))
    assert list_models() == ("happy-net",)


def test_an_unknown_name_is_refused_with_what_to_type():
    with pytest.raises(ModelNotFoundError, match="Type: emopy models list"):
        load_model("emopy-frist")


def test_probabilities_follow_the_labels(folder):
    rows = softmax(load_model(folder).logits(CROPS))
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)


def test_a_folder_may_also_hold_the_trainable_network(trainable_folder):
    folder = trainable_folder
    assert "network.keras" in names_in(folder)
    card, file = find_keras_model(folder)
    assert list(card.files) == ["model.onnx", "golden.npz", "network.keras"]
    assert file == folder / "network.keras"
    assert card.files["network.keras"] == sha256_of(file)
    assert check_model_folder(folder) < 1e-5
    update_card(folder, lambda card: card.changed(temperature=2.0))
    assert find_keras_model(folder)[0].temperature == 2.0


def test_prediction_does_not_need_the_trainable_network(trainable_folder):
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


def test_a_folder_without_a_trainable_network_explains_how_to_export_one(folder):
    with pytest.raises(ModelNotFoundError, match="with its trainable network"):
        find_keras_model(folder)


def test_a_card_that_lists_a_strange_file_is_refused(folder):
    files = load_model(folder).card.files
    edit(folder, files={**files, "setup.py": files["model.onnx"]})
    with pytest.raises(ModelError, match=r"may list network\.keras"):
        load_model(folder)
