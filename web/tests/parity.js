/** Compare results of this package with those of Python; used in Node and in browsers. */

/** @typedef {import("../src/types.js").ImageResult} ImageResult */

/** Largest difference of an edge of a box, in pixels, and of a landmark. */
export const BOX_TOLERANCE = 2;

/** Largest difference of a probability. */
export const PROBABILITY_TOLERANCE = 0.02;

/**
 * Compare all faces of all results, in order.
 *
 * @param {readonly ImageResult[]} found
 * @param {readonly ImageResult[]} expected Of the Python package.
 * @returns {{faces: number, box: number, landmark: number, probability: number}} Number of faces and
 *   largest differences.
 * @throws {Error} Another number of faces, another track, or a difference above the tolerances.
 */
export function compare(found, expected) {
  const largest = { faces: 0, box: 0, landmark: 0, probability: 0 };
  expected.forEach((wanted, i) => {
    const { source, width, height, time_s, frame, faces } = found[i];
    const head = [source, width, height, time_s, frame, faces.map(({ track }) => track)];
    const wantedTracks = wanted.faces.map(({ track }) => track);
    const wantedHead = [
      wanted.source,
      wanted.width,
      wanted.height,
      wanted.time_s,
      wanted.frame,
      wantedTracks,
    ];
    if (JSON.stringify(head) !== JSON.stringify(wantedHead)) {
      throw new Error(`Received ${JSON.stringify(head)} instead of ${JSON.stringify(wantedHead)}`);
    }
    wanted.faces.forEach((face, n) => {
      const other = faces[n];
      const labels = Object.keys(face.probabilities);
      const same = (/** @type {string} */ label) => [
        other.probabilities[label],
        face.probabilities[label],
      ];
      const differences = {
        box: difference(Object.values(other.box), Object.values(face.box)),
        landmark: difference((other.landmarks ?? []).flat(), (face.landmarks ?? []).flat()),
        probability: Math.max(...labels.map((label) => Math.abs(same(label)[0] - same(label)[1]))),
      };
      const { box, landmark, probability } = differences;
      if (!(
        box <= BOX_TOLERANCE &&
        landmark <= BOX_TOLERANCE &&
        probability <= PROBABILITY_TOLERANCE
      )) {
        throw new Error(`Face ${n + 1} of ${source} differs: ${JSON.stringify(differences)}`);
      }
      largest.faces += 1;
      largest.box = Math.max(largest.box, box);
      largest.landmark = Math.max(largest.landmark, landmark);
      largest.probability = Math.max(largest.probability, probability);
    });
  });
  return largest;
}

/**
 * @param {readonly number[]} one
 * @param {readonly number[]} other
 */
function difference(one, other) {
  if (one.length !== other.length) return Infinity;
  return Math.max(0, ...one.map((value, i) => Math.abs(value - other[i])));
}
