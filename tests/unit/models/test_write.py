import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from emopy.errors import ModelError
from emopy.models import (
    InputSpec,
    ModelCard,
    check_model_folder,
    load_model,
    update_card,
    write_model_folder,
)

CARD = ModelCard("tiny", "1", ("anger", "fear", "joy"), InputSpec(48, 48))
CROPS = np.random.default_rng(1).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


def names_in(folder):
    return sorted(item.name for item in folder.iterdir())


def test_a_written_folder_can_be_loaded_and_gives_its_golden_logits(folder, parts):
    assert names_in(folder) == ["README.md", "card.json", "golden.npz", "model.onnx"]
    model = load_model(folder)
    assert model.path == folder
    assert model.card == CARD.changed(files=model.card.files)
    np.testing.assert_allclose(model.logits(CROPS), parts["golden_logits"], atol=1e-6)
    assert check_model_folder(folder) < 1e-5


def test_no_temporary_files_are_left_after_writing(folder, tmp_path):
    assert names_in(tmp_path) == ["loose.onnx", "tiny"]


def test_a_folder_that_fails_its_check_is_not_written(parts, tmp_path):
    parts["golden_logits"] = parts["golden_logits"] + np.float32(0.01)
    with pytest.raises(ModelError) as caught:
        write_model_folder(tmp_path / "tiny", **parts)
    assert str(caught.value).startswith(f"{tmp_path / 'tiny'} must reproduce its golden logits")
    assert names_in(tmp_path) == ["loose.onnx"]


def test_a_failed_write_leaves_the_older_model_as_it_was(folder, parts):
    with pytest.raises(ModelError):
        write_model_folder(folder, **{**parts, "weights": b"nothing"})
    check_model_folder(folder)


def test_an_older_model_folder_is_replaced(folder, parts, tmp_path):
    (folder / ".DS_Store").touch()  # as the file manager of macOS leaves it
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


def test_a_card_can_be_updated_and_its_readme_follows(folder):
    metrics = {"valid": {"accuracy": 0.5}}
    update_card(folder, lambda card: card.changed(temperature=1.5, metrics=metrics))
    assert load_model(folder).card.temperature == 1.5
    assert "50.0%" in (folder / "README.md").read_text(encoding="utf-8")
    assert len(names_in(folder)) == 4
    check_model_folder(folder)


def test_the_card_of_another_model_is_refused(folder):
    card = load_model(folder).card
    with pytest.raises(ModelError, match="must keep the `labels`"):
        update_card(folder, lambda card: card.changed(labels=("joy", "fear", "anger")))
    with pytest.raises(ModelError, match="must keep the `input`"):
        update_card(folder, lambda card: card.changed(input=replace(card.input, mean=0.5)))
    assert load_model(folder).card == card


def test_a_card_that_could_not_be_read_again_is_not_written(folder):
    card = load_model(folder).card
    with pytest.raises(ModelError, match="control characters"):
        update_card(folder, lambda card: card.changed(metrics={"mine": {"groups": "\x1b"}}))
    assert load_model(folder).card == card


def test_no_change_is_lost_where_several_threads_change_a_card(folder):
    def add(number):
        def change(card):
            time.sleep(0.01)  # long enough for the others to read the same card
            return card.changed(metrics={**card.metrics, str(number): {"accuracy": 0.5}})

        update_card(folder, change)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert set(load_model(folder).card.metrics) == set(map(str, range(8)))


def test_a_folder_is_replaced_by_one_without_a_trainable_network(trainable_folder, parts):
    write_model_folder(trainable_folder, **parts)
    assert "network.keras" not in names_in(trainable_folder)
