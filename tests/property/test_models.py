import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from emopy import FERModel
from emopy.labels import ALL_EMOTIONS
from emopy.models import InputSpec, softmax, to_tensor

LOGITS = arrays(np.float32, (4, 8), elements=st.floats(-30, 30, width=32))
SUBSETS = st.lists(st.sampled_from(range(8)), min_size=2, unique=True)
SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70))


@given(LOGITS, SUBSETS, st.floats(0.2, 5))
def test_softmax_of_a_subset_is_that_of_all_labels_restricted_and_renormalized(
    logits, columns, temperature
):
    whole = softmax(logits.astype(np.float64), temperature).astype(np.float64)
    part = softmax(logits[:, columns], temperature)
    kept = whole[:, columns]
    # Where nearly nothing is kept, float32 has no digits left to compare.
    rows = kept.sum(axis=1) > 1e-20
    renormalized = kept[rows] / kept[rows].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(part[rows], renormalized, atol=1e-5)
    np.testing.assert_allclose(part.sum(axis=1), 1, atol=1e-6)


@given(subset=SUBSETS, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_a_subset_of_labels_renormalizes_the_probabilities_of_all(linear_model, subset, seed):
    labels = [ALL_EMOTIONS[i] for i in subset]
    crops = np.random.default_rng(seed).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    whole = FERModel("all", model=linear_model, detector="full-image").predict_faces(crops)
    part = FERModel(labels, model=linear_model, detector="full-image").predict_faces(crops)
    for full, few in zip(whole, part, strict=True):
        kept = np.array([full.to_dict()[label] for label in labels])
        assert few.labels == tuple(labels)
        np.testing.assert_allclose(few.probabilities, kept / kept.sum(), atol=1e-5)


@given(st.lists(SIZES, max_size=6), st.sampled_from([1, 3]), st.sampled_from([1, 3]))
def test_crops_of_any_size_become_one_batch_within_range(sizes, given_channels, wanted_channels):
    spec = InputSpec(24, 20, channels=wanted_channels, mean=0.5, std=0.5)
    crops = [np.full((*size, given_channels), 7 * i, np.uint8) for i, size in enumerate(sizes)]
    tensor = to_tensor(crops, spec)
    assert tensor.shape == (len(sizes), *spec.shape)
    for i, crop in enumerate(tensor):
        np.testing.assert_allclose(crop, (7 * i / 255 - 0.5) / 0.5, atol=1e-6)
