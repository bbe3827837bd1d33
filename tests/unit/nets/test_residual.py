import keras
import numpy as np

from emopy.nets import ResidualNN


def test_it_maps_crops_to_one_logit_per_label():
    model = ResidualNN((48, 48, 1), 8)
    assert model.output_shape == (None, 8)
    assert model(np.zeros((2, 48, 48, 1), np.float32)).shape == (2, 8)


def test_it_has_few_parameters_and_operations():
    model = ResidualNN((48, 48, 1), 8)
    assert model.count_params() < 2_000_000
    multiply_adds = sum(
        np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if hasattr(layer, "kernel")
    )
    assert 40e6 < multiply_adds < 60e6


def test_widths_and_blocks_change_the_layers():
    assert (
        ResidualNN((48, 48, 1), 8, widths=(8,), blocks=(1,)).count_params()
        < ResidualNN((48, 48, 1), 8, widths=(8, 16), blocks=(1, 1)).count_params()
    )


def test_antialias_replaces_strides_by_average_pooling():
    plain, smooth = (ResidualNN((48, 48, 1), 8, antialias=on) for on in (False, True))
    assert smooth.count_params() == plain.count_params()
    strides = [layer.strides for layer in smooth.layers if isinstance(layer, keras.layers.Conv2D)]
    assert set(strides) == {(1, 1)}
    pools = [a for a in smooth.layers if isinstance(a, keras.layers.AveragePooling2D)]
    assert len(pools) == 6
    shapes = [layer.output.shape for layer in smooth.layers if "add" in layer.name]
    assert [shape[1] for shape in shapes] == [24, 12, 12, 6, 6]


def test_a_stem_may_halve_the_resolution_in_place_of_the_first_stage():
    late, early = (ResidualNN((48, 48, 1), 8, stem_stride=stride) for stride in (1, 2))
    for model, sides in ((late, (48, 24, 12, 6)), (early, (24, 24, 12, 6))):
        shapes = [layer.output.shape[1] for layer in model.layers if "add" in layer.name]
        stem = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
        assert (stem.output.shape[1], *sorted(set(shapes), reverse=True)) == sides
