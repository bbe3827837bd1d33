"""The ready recipes: they parse, their networks take their settings, and one of them trains."""

import os
import shutil

import pytest

from emopy.cli.main import main
from emopy.errors import DataError, RecipeError
from emopy.evaluate import calibrate
from emopy.labels import STANDARD_EMOTIONS
from emopy.models import load_model
from emopy.nets import get_net, list_nets
from emopy.recipes import find_recipe, list_recipes
from emopy.train import load_recipe, train_recipe

RECIPES = [find_recipe(name) for name in list_recipes()]
CLIPS = {"ConvolutionalLstmNN", "TimeDelayConvNN"}


def test_there_is_a_recipe_for_each_network():
    named = {load_recipe(path).net.name for path in RECIPES}
    assert set(list_nets()) <= named


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_builds_its_network(path):
    net = load_recipe(path).net
    shape = (3, 48, 48, 1) if net.name in CLIPS else (48, 48, 1)
    settings = dict(net.settings)
    if net.name == "TransferLearningNN":
        settings |= {"backbone": "mobilenet_v2", "weights": "random"}
    assert get_net(net.name)(shape, 7, **settings).output_shape == (None, 7)


def test_a_recipe_without_data_is_refused():
    for path in RECIPES:
        if not load_recipe(path).data.train:
            with pytest.raises(RecipeError, match=r"data\.train=faces"):
                train_recipe(path)


def test_a_recipe_trains_and_stdout_holds_the_path_of_the_model_alone(splits, tmp_path, capsys):
    splits.train.save(tmp_path / "train.npz")
    words = ["train", "convolutional-dropout", "--out", str(tmp_path / "run")]
    data = f"data.train={(tmp_path / 'train.npz').as_posix()}"
    for override in (data, "fit.epochs=1", "net.settings.filters=4"):
        words += ["--set", override]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'run' / 'model'}\n"
    assert "loss" in captured.err
    assert "\b" not in captured.err  # no progress bar outside a terminal
    card = load_model(tmp_path / "run" / "model").card
    assert card.training["network"] == "ConvolutionalNNDropout"

    temperature = calibrate(tmp_path / "run" / "model", splits.validation)
    assert temperature != 1
    assert main(words) == 0  # rerun
    assert load_model(tmp_path / "run" / "model").card.temperature == temperature
    (tmp_path / "run" / "model" / "model.onnx").unlink()
    assert main(words) == 0
    assert load_model(tmp_path / "run" / "model").card.temperature == 1


def test_skipped_samples_and_empty_labels_are_reported_before_the_training(
    sample_files, tmp_path, capsys
):
    samples = shutil.copytree(sample_files / "stills" / "test", tmp_path / "samples")
    (samples / "fear" / "bad.png").write_bytes(b"not an image")
    (samples / "fear" / "000.png").rename(samples / "fear" / os.fsdecode(b"caf\xe9.png"))
    (samples / "contempt").mkdir()
    (samples / "__MACOSX" / "fear").mkdir(parents=True)
    recipe = "convolutional"
    overrides = [f"data.train={samples.as_posix()}", "fit.epochs=1", "net.settings.filters=4"]
    skipped = []
    run = train_recipe(recipe, settings=overrides, out=tmp_path / "run", on_skipped=skipped.append)
    assert [skipped_sample.source for skipped_sample in skipped] == [
        str(samples / "fear" / "bad.png"),
        samples.as_posix(),
    ]
    assert "contempt: the training data have no face of it" in skipped[1].reason
    assert run.folder is not None
    assert load_model(run.folder / "model").card.labels == STANDARD_EMOTIONS
    words = ["train", recipe, "--out", str(tmp_path / "run")]
    for override in overrides:
        words += ["--set", override]
    capsys.readouterr()
    assert main(words) == 1  # the run is finished: nothing is trained again
    captured = capsys.readouterr()
    assert "bad.png" in captured.err
    assert "contempt: the training data have no face of it" in captured.err
    assert captured.out == f"{run.folder / 'model'}\n"


def test_a_folder_of_splits_names_the_setting_and_the_paths_to_type(sample_files, tmp_path):
    samples = sample_files / "stills"
    with pytest.raises(DataError, match=r"^`data\.train` must .* is split already") as raised:
        train_recipe(RECIPES[0], settings=[f"data.train={samples}"], out=tmp_path / "run")
    assert str(raised.value).endswith(f"Type {samples / 'train'} or {samples / 'test'}")


def test_a_recipe_trains_on_folders_of_clips(sample_files, tmp_path):
    clips = sample_files / "clips" / "test"
    overrides = [f"data.train={clips.as_posix()}", "fit.epochs=1", "net.settings.filters=2"]
    train_recipe("time-delay", settings=overrides, out=tmp_path / "run")
    assert load_model(tmp_path / "run" / "model").card.input.frames == 4


def test_a_negative_number_of_frames_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"`data\.num_frames` must be 0 for stills"):
        load_recipe(RECIPES[0], ["data.num_frames=-1"])
