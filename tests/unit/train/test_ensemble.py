import numpy as np
import pytest

from emopy.cli.main import main
from emopy.errors import ModelError, ModelNotFoundError
from emopy.models import InputSpec, check_model_folder, find_keras_model, load_model
from emopy.nets import get_net
from emopy.train import FitSettings, ensemble, export, fit

SMALL = {"widths": [8, 16], "blocks": [1, 1]}


def untrained(folder, labels, trainable="small"):
    """A model folder of a network with random weights."""
    network = get_net("ConvolutionalNN")((16, 16, 1), len(labels), filters=2)
    spec = InputSpec(16, 16)
    return export(network, folder, labels=labels, spec=spec, trainable=trainable)


@pytest.fixture(scope="module")
def members(splits, tmp_path_factory):
    home = tmp_path_factory.mktemp("members")
    runs = [
        fit(
            "ResidualNN",
            splits,
            settings=FitSettings(epochs=1, batch_size=32, seed=seed),
            net_settings=SMALL,
        )
        for seed in (0, 1)
    ]
    return [export(run, home / str(seed), name=f"seed {seed}") for seed, run in enumerate(runs)]


def test_the_logits_are_the_mean_of_those_of_the_members(splits, members, tmp_path):
    folder = ensemble(members, tmp_path / "both", name="both")
    one, other, both = (load_model(model) for model in (*members, folder))
    images = splits.validation.images
    mean = (one.logits(images) + other.logits(images)) / 2
    assert np.abs(one.logits(images) - other.logits(images)).max() > 0.1
    np.testing.assert_allclose(both.logits(images), mean, atol=1e-4)
    assert check_model_folder(folder) < 1e-3


def test_members_may_scale_pixels_differently(tmp_path):
    rng, labels = np.random.default_rng(0), ("anger", "fear")
    specs = (InputSpec(16, 16, mean=0.5, std=0.25), InputSpec(16, 16, scale=1.0, mean=90, std=40))
    networks = {name: get_net("ConvolutionalNN")((16, 16, 1), 2) for name in ("one", "other")}
    members = [
        export(network, tmp_path / name, labels=labels, spec=spec)
        for (name, network), spec in zip(networks.items(), specs, strict=True)
    ]
    both = load_model(ensemble(members, tmp_path / "both"))
    images = rng.integers(0, 256, (8, 16, 16, 1), np.uint8)
    one, other = (load_model(member).logits(images) for member in members)
    assert np.abs(one - other).max() > 0.1
    np.testing.assert_allclose(both.logits(images), (one + other) / 2, atol=1e-4)
    assert both.card.input == specs[0]


def test_the_card_lists_every_member_and_has_no_metrics(members, tmp_path):
    card = load_model(ensemble(members, tmp_path / "both")).card
    one, other = (load_model(member).card for member in members)
    assert (card.name, card.temperature, dict(card.metrics)) == ("seed 0", 1.0, {})
    assert card.training["parameters"] == 2 * one.training["parameters"]
    assert [member["seed"] for member in card.training["members"]] == [0, 1]
    assert card.training["label_prior"] == one.training["label_prior"]
    assert card.labels == other.labels


def test_the_first_member_can_be_fine_tuned(members, tmp_path):
    folder = ensemble(members, tmp_path / "both")
    assert find_keras_model(folder)[1].read_bytes() == find_keras_model(members[0])[1].read_bytes()
    network = get_net("TransferLearningNN")((16, 16, 1), 2, backbone=str(folder))
    assert network.output_shape == (None, 2)


def test_models_with_other_labels_or_inputs_are_refused(members, tmp_path):
    with pytest.raises(ModelError, match="two or more"):
        ensemble(members[:1], tmp_path / "out")
    other = untrained(tmp_path / "two", ("anger", "fear"))
    with pytest.raises(ModelError, match=r"anger, fear and inputs of .* × 1, margin 0\. Train"):
        ensemble([members[0], other], tmp_path / "out")
    bare = untrained(tmp_path / "bare", load_model(members[0]).card.labels, trainable="never")
    with pytest.raises(ModelNotFoundError, match="Export it again, with its trainable network"):
        ensemble([members[0], bare], tmp_path / "out")
    with pytest.raises(ModelError, match=r"single networks.*is an ensemble"):
        ensemble([ensemble(members, tmp_path / "both"), members[0]], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_folder_alone(members, tmp_path, capsys):
    out = tmp_path / "both"
    words = ["models", "ensemble", *map(str, members), "--out", str(out), "--name", "ours"]
    assert main(words) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert load_model(out).card.name == "ours"
    assert main(["models", "ensemble", str(members[0]), "--out", str(tmp_path / "one")]) == 2
    assert "two or more" in capsys.readouterr().err
