import numpy as np
import pytest

from emopy.data import Splits
from emopy.errors import RecipeError
from emopy.models import load_model
from emopy.nets import get_net
from emopy.train import FitSettings, export, fit
from emopy.train.start import start_from

SMALL = {"widths": [8, 16], "blocks": [1, 1]}
HOW = FitSettings(epochs=2, batch_size=32, learning_rate=5e-3, seed=3)


@pytest.fixture(scope="module")
def learnt(splits, tmp_path_factory):
    run = fit("ResidualNN", splits, settings=HOW, net_settings=SMALL)
    return run, str(export(run, tmp_path_factory.mktemp("learnt") / "model"))


def fresh(labels, **settings):
    return get_net("ResidualNN")((16, 16, 1), len(labels), **SMALL | settings)


def test_the_network_begins_where_the_model_ended(splits, learnt):
    run, folder = learnt
    network = fresh(splits.train.labels)
    assert start_from(folder, network, splits.train.labels) == load_model(folder).card.input
    for mine, theirs in zip(network.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_labels_that_both_know_keep_their_part_of_the_last_layer(learnt):
    run, folder = learnt
    network = fresh(("neutral", "happiness", "anger"))
    before, _ = network.layers[-1].get_weights()
    start_from(folder, network, ("neutral", "happiness", "anger"))
    (kernel, bias), (theirs, shift) = (net.layers[-1].get_weights() for net in (network, run.model))
    np.testing.assert_array_equal(kernel[:, [0, 2]], theirs[:, [2, 0]])
    np.testing.assert_array_equal(bias[[0, 2]], shift[[2, 0]])
    np.testing.assert_array_equal(kernel[:, 1], before[:, 1])


def test_a_training_that_starts_from_a_model_is_ahead_and_goes_on_exactly(
    splits, learnt, tmp_path, killed_after
):
    how = FitSettings(epochs=2, batch_size=32, learning_rate=1e-4, warmup=0.0, init_from=learnt[1])

    def train(folder=None):
        return fit("ResidualNN", splits, settings=how, folder=folder, net_settings=SMALL)

    with killed_after(1):
        train(tmp_path)
    resumed, whole = train(tmp_path), train()
    assert whole.history[0]["loss"] < learnt[0].history[0]["loss"]
    assert resumed.history == whole.history
    assert whole.spec == learnt[0].spec


@pytest.mark.parametrize(
    ("settings", "start", "message"),
    [
        ({"widths": [8, 24]}, None, "same network.*same `net.settings`.*backbone"),
        ({"blocks": [1, 2]}, None, "same network"),
        ({}, "nobody", "`init_from` must be a model with a trainable network.*Received 'nobody'"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(splits, learnt, settings, start, message):
    network = fresh(splits.train.labels, **settings)
    with pytest.raises(RecipeError, match=message):
        start_from(start or learnt[1], network, splits.train.labels)


def test_faces_of_another_size_are_refused(splits, learnt):
    network = get_net("ResidualNN")((24, 24, 1), 3, **SMALL)
    with pytest.raises(RecipeError, match="faces of the same size"):
        start_from(learnt[1], network, splits.train.labels)


def test_a_start_that_does_not_fit_is_refused_and_leaves_no_folder_behind(splits, learnt, tmp_path):
    settings = FitSettings(init_from=learnt[1])
    with pytest.raises(RecipeError, match="same network"):
        fit("ConvolutionalNN", Splits.of(splits.train), settings=settings, folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()
