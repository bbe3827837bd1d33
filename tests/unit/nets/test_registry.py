import pytest

from emopy.errors import RecipeError
from emopy.nets import ResidualNN, get_net, list_nets, register_net, registry


def test_built_in_networks_are_found_by_name():
    assert get_net("ResidualNN") is ResidualNN
    assert "ResidualNN" in list_nets()


def test_a_plain_function_is_a_network():
    def mine(input_shape, classes): ...

    assert get_net(mine) is mine


def test_a_decorated_function_is_found_by_its_name(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))

    @register_net
    def MyNN(input_shape, classes): ...

    assert get_net("MyNN") is MyNN


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match="Did you mean 'ResidualNN'"):
        get_net("ResidualN")
