import pytest
from keras import layers

from emopy.nets import ConvolutionalNN, ConvolutionalNNDropout


@pytest.mark.parametrize("net", [ConvolutionalNN, ConvolutionalNNDropout])
@pytest.mark.parametrize("shape", [(48, 48, 1), (32, 40, 3), (8, 8, 1)])
def test_it_maps_crops_of_any_size_to_one_logit_per_label(net, shape):
    model = net(shape, 5, filters=4)
    assert (model.input_shape, model.output_shape) == ((None, *shape), (None, 5))
    assert model.layers[-1].activation.__name__ == "linear"


@pytest.mark.parametrize("net", [ConvolutionalNN, ConvolutionalNNDropout])
def test_the_settings_of_the_original_change_the_layers(net):
    model = net((48, 48, 1), 7, filters=10, kernel_size=(4, 4), activation="elu")
    first = next(layer for layer in model.layers if isinstance(layer, layers.Conv2D))
    assert (first.filters, first.kernel_size) == (10, (4, 4))
    activations = {getattr(layer, "activation", None) for layer in model.layers} - {None}
    assert "elu" in {activation.__name__ for activation in activations}
    assert "relu" not in {activation.__name__ for activation in activations}


def test_the_regularized_network_has_dropout_normalization_and_l2():
    model = ConvolutionalNNDropout((48, 48, 1), 7, dropout=0.4, l2=1e-3)
    kinds = [type(layer) for layer in model.layers]
    assert kinds.count(layers.BatchNormalization) == 6
    dropouts = [layer for layer in model.layers if isinstance(layer, layers.Dropout)]
    assert [layer.rate for layer in dropouts] == [0.4] * 4
    assert len(model.losses) == 6


@pytest.mark.parametrize("net", [ConvolutionalNN, ConvolutionalNNDropout])
def test_a_face_costs_at_most_forty_million_multiply_adds(net):
    model = net((48, 48, 1), 7)
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.Dense):
            positions = (
                layer.output.shape[1] * layer.output.shape[2] if layer.kernel.ndim > 2 else 1
            )
            total += positions * int(layer.kernel.shape.num_elements())
    assert 25e6 < total < 40e6
