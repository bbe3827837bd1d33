"""The cheapest way to pair rows with columns, for the few faces of an image.

Source: Kuhn 1955, "The Hungarian method for the assignment problem",
https://doi.org/10.1002/nav.3800020109; here with shortest augmenting paths, Jonker and Volgenant
1987, https://doi.org/10.1007/BF02278710.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]


def linear_assignment(costs: Costs, *, alone: float) -> list[tuple[int, int]]:
    """Pair rows with columns so that the sum of all costs is smallest.

    Args:
        costs: (n, m), 0 or more; infinite where a pair is forbidden.
        alone: What a row without a partner costs: no pair dearer than that is made.

    Returns:
        (row, column) of each pair, by row. No row and no column is in two pairs.

    Example:
        >>> linear_assignment(np.array([[1.0, 2.0], [1.5, 9.0]]), alone=5.0)
        [(0, 1), (1, 0)]
    """
    rows, columns = costs.shape
    # Each row may also take a column of its own that stands for staying alone.
    own = np.where(np.eye(rows, dtype=bool), alone, np.inf)
    owner = _augmented(np.concatenate([costs, own], axis=1))[:columns]
    pairs = [(int(row), column) for column, row in enumerate(owner) if row >= 0]
    return sorted(pairs)


def _augmented(costs: Costs) -> NDArray[np.intp]:
    """Row that owns each column, or -1; every row owns one."""
    rows, columns = costs.shape
    owner = np.full(columns, -1, dtype=np.intp)
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    for start in range(rows):
        row, column = start, -1
        distance = np.full(columns, np.inf)
        before = np.full(columns, -1, dtype=np.intp)
        done = np.zeros(columns, dtype=bool)
        reached = 0.0
        while True:
            reduced = reached + costs[row] - row_price[row] - column_price
            shorter = ~done & (reduced < distance)
            distance[shorter] = reduced[shorter]
            before[shorter] = column
            column = int(np.argmin(np.where(done, np.inf, distance)))
            reached = float(distance[column])
            done[column] = True
            if owner[column] < 0:
                break
            row = int(owner[column])
        # Prices keep every reduced cost at 0 or more, for the next row's search.
        passed = done & (owner >= 0)
        row_price[owner[passed]] += reached - distance[passed]
        row_price[start] += reached
        column_price[passed] -= reached - distance[passed]
        while before[column] >= 0:
            owner[column] = owner[before[column]]
            column = int(before[column])
        owner[column] = start
    return owner
