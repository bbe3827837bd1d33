/**
 * Linear assignment: rows to columns at the smallest sum of costs.
 *
 * Source: Kuhn 1955, "The Hungarian method for the assignment problem",
 * https://doi.org/10.1002/nav.3800020109; with shortest augmenting paths: Jonker and Volgenant 1987,
 * https://doi.org/10.1007/BF02278710.
 */

/**
 * Assign rows to columns so that the sum of all costs is smallest.
 *
 * @param {readonly (readonly number[])[]} costs n rows of m costs, 0 or more; Infinity where a pair
 *   is forbidden.
 * @param {number} maxCost Cost of a row without a column: no pair costs more.
 * @returns {[number, number][]} (row, column) of each pair, by row. No row and no column is in two.
 */
export function linearAssignment(costs, maxCost) {
  const columns = costs.length ? costs[0].length : 0;
  // Each row may also take a dummy column of its own, which stands for no column.
  const padded = costs.map((row, i) => [
    ...row,
    ...costs.map((_, j) => (i === j ? maxCost : Infinity)),
  ]);
  const owners = assignColumns(padded).slice(0, columns);
  return owners
    .map((row, column) => /** @type {[number, number]} */ ([row, column]))
    .filter(([row]) => row >= 0)
    .sort(([one], [other]) => one - other);
}

/**
 * Row assigned to each column, or -1; every row has one column.
 *
 * @param {readonly (readonly number[])[]} costs
 * @returns {number[]}
 */
function assignColumns(costs) {
  const columns = costs.length ? costs[0].length : 0;
  const owner = new Array(columns).fill(-1);
  const rowPrice = new Float64Array(costs.length);
  const columnPrice = new Float64Array(columns);
  for (let start = 0; start < costs.length; start++) {
    const distance = new Float64Array(columns).fill(Infinity);
    const previous = new Array(columns).fill(-1);
    const done = new Array(columns).fill(false);
    let row = start;
    let column = -1;
    let reached = 0;
    for (;;) {
      for (let i = 0; i < columns; i++) {
        const reduced = reached + costs[row][i] - rowPrice[row] - columnPrice[i];
        if (!done[i] && reduced < distance[i]) {
          distance[i] = reduced;
          previous[i] = column;
        }
      }
      column = nearestColumn(distance, done);
      reached = distance[column];
      done[column] = true;
      if (owner[column] < 0) break;
      row = owner[column];
    }
    // Prices keep every reduced cost at 0 or more, for the next row's search.
    for (let i = 0; i < columns; i++) {
      if (!done[i]) continue;
      if (owner[i] >= 0) {
        rowPrice[owner[i]] += reached - distance[i];
        columnPrice[i] -= reached - distance[i];
      }
    }
    rowPrice[start] += reached;
    for (; previous[column] >= 0; column = previous[column])
      owner[column] = owner[previous[column]];
    owner[column] = start;
  }
  return owner;
}

/**
 * @param {Float64Array} distance
 * @param {readonly boolean[]} done
 */
function nearestColumn(distance, done) {
  let nearest = -1;
  for (let i = 0; i < distance.length; i++) {
    if (!done[i] && (nearest < 0 || distance[i] < distance[nearest])) nearest = i;
  }
  return nearest;
}
