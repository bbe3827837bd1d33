"""Every network that the registry names, and one's own, keep the promises of `check_net`."""

from functools import partial

import keras
import pytest

from emopy.errors import ModelError
from emopy.nets import TransferLearningNN, list_nets, register_net, registry
from emopy.testing import check_net

CLIPS = {"ConvolutionalLstmNN", "TimeDelayConvNN"}


@pytest.mark.parametrize("name", list_nets())
def test_every_network_meets_the_contract(name, own_folder):
    net = name if name != "TransferLearningNN" else partial(TransferLearningNN, backbone=own_folder)
    check_net(net, input_shape=(3, 16, 16, 1) if name in CLIPS else (16, 16, 1), classes=3)


def mine(input_shape, classes, activation=None):
    crops = keras.Input(input_shape)
    x = keras.layers.Flatten()(crops)
    return keras.Model(crops, keras.layers.Dense(classes, activation=activation)(x))


def test_a_plain_function_meets_the_contract():
    check_net(mine, input_shape=(8, 8, 3), classes=2)


class OwnPackage:
    name = "PackagedNN"

    def load(self):
        return mine


def test_a_registered_network_and_an_entry_point_meet_the_contract(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))

    @register_net
    def MyNN(input_shape, classes):
        return mine(input_shape, classes)

    check_net("MyNN", input_shape=(8, 8, 1), classes=2)
    monkeypatch.setattr(
        registry,
        "entry_points",
        lambda group, name="PackagedNN": [OwnPackage()] if name == "PackagedNN" else [],
    )
    assert {"MyNN", "PackagedNN"} <= set(list_nets())
    check_net("PackagedNN", input_shape=(8, 8, 1), classes=2)


@pytest.mark.parametrize(
    "net, reason",
    [
        (partial(mine, activation="softmax"), "leave out softmax"),
        (partial(mine, activation="sigmoid"), "nothing below 0"),
        (lambda shape, _: mine(shape, 2), "any number of labels"),
        (lambda shape, classes: mine(shape, classes + 1), r"must return \(None, 2\)"),
        (lambda shape, classes: mine((9, 9, 1), classes), r"must take \(None, 8, 8, 1\)"),
    ],
)
def test_a_violation_of_the_contract_is_named(net, reason):
    with pytest.raises(AssertionError, match=reason):
        check_net(net, input_shape=(8, 8, 1), classes=2)


def test_a_network_that_needs_custom_code_to_load_is_refused():
    def closed(input_shape, classes):
        crops = keras.Input(input_shape)
        x = keras.layers.Lambda(lambda pixels: pixels * 2)(keras.layers.Flatten()(crops))
        return keras.Model(crops, keras.layers.Dense(classes)(x))

    with pytest.raises(ModelError, match="without your code"):
        check_net(closed, input_shape=(8, 8, 1), classes=2)
