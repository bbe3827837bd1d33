from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emopy.faces.linear_assignment import linear_assignment

COSTS = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.5, 7.0, float("inf")])
ALONE = 3.0


def total(costs, pairs):
    return sum(costs[pair] for pair in pairs) + ALONE * (len(costs) - len(pairs))


def cheapest_of_all(costs):
    """Try every way; a column of -1 stays alone."""
    rows, columns = costs.shape
    ways = permutations([*range(columns), *[-1] * rows], rows)
    return min(total(costs, [(r, c) for r, c in enumerate(way) if c >= 0]) for way in ways)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 3), st.integers(0, 4), st.data())
def test_no_way_of_pairing_is_cheaper(rows, columns, data):
    values = data.draw(st.lists(COSTS, min_size=rows * columns, max_size=rows * columns))
    costs = np.array(values, dtype=np.float64).reshape(rows, columns)
    pairs = linear_assignment(costs, alone=ALONE)
    assert pairs == sorted(pairs)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert total(costs, pairs) == pytest.approx(cheapest_of_all(costs))


def test_the_sum_counts_and_not_the_single_pair():
    costs = np.array([[0.0, 1.0], [0.5, 9.0]])
    assert linear_assignment(costs, alone=20.0) == [(0, 1), (1, 0)]


def test_forbidden_and_dear_pairs_are_not_made():
    costs = np.array([[np.inf, np.inf], [4.0, 2.0]])
    assert linear_assignment(costs, alone=3.0) == [(1, 1)]
