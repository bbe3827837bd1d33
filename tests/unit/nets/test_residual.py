import numpy as np

from emopy.nets import ResidualNN


def test_it_maps_crops_to_one_logit_per_label():
    model = ResidualNN((48, 48, 1), 8)
    assert model.output_shape == (None, 8)
    assert model(np.zeros((2, 48, 48, 1), np.float32)).shape == (2, 8)


def test_it_stays_small():
    model = ResidualNN((48, 48, 1), 8)
    assert model.count_params() < 2_000_000
    multiply_adds = sum(
        np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if hasattr(layer, "kernel")
    )
    assert 40e6 < multiply_adds < 60e6


def test_widths_and_blocks_shape_it():
    assert (
        ResidualNN((48, 48, 1), 8, widths=(8,), blocks=(1,)).count_params()
        < ResidualNN((48, 48, 1), 8, widths=(8, 16), blocks=(1, 1)).count_params()
    )
