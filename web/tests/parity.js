/** Compare results of this package with those of Python; used in Node and in browsers. */

/** @typedef {import("../src/types.js").ImageResult} ImageResult */

/** Largest difference of an edge of a box, in pixels, and of a landmark, for almost all faces. */
export const BOX_TOLERANCE = 2;

/** Largest difference of a probability, for almost all faces. */
export const PROBABILITY_TOLERANCE = 0.02;

/**
 * Largest differences of the others: of a box and a landmark as a fraction of the side of the face,
 * and of a probability. Where two candidates for a face have almost the same score, or a value lies
 * halfway between two steps of int8, the last bit of a sum decides; it differs between CPUs.
 */
export const TIE_TOLERANCE = 0.08;
export const TIE_PROBABILITY_TOLERANCE = 0.05;

/** Largest fraction of the faces that such a tie may decide; one is always allowed. */
export const MAX_TIES = 0.02;

/**
 * Compare all faces of all results, in order.
 *
 * @param {readonly ImageResult[]} found
 * @param {readonly ImageResult[]} expected Of the Python package.
 * @returns {{faces: number, ties: number, box: number, landmark: number, probability: number}} Number
 *   of faces, how many of them a tie decided, and the largest differences.
 * @throws {Error} Another number of faces, another track, a difference above the tolerances, or too
 *   many ties.
 */
export function compare(found, expected) {
  const largest = { faces: 0, ties: 0, box: 0, landmark: 0, probability: 0 };
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
      const far = Math.max(box, landmark);
      const side = Math.max(face.box.right - face.box.left, face.box.bottom - face.box.top);
      const farthest = Math.max(BOX_TOLERANCE, TIE_TOLERANCE * side);
      if (!(far <= farthest && probability <= TIE_PROBABILITY_TOLERANCE)) {
        throw new Error(`Face ${n + 1} of ${source} differs: ${JSON.stringify(differences)}`);
      }
      largest.faces += 1;
      const isTie = far > BOX_TOLERANCE || probability > PROBABILITY_TOLERANCE;
      largest.ties += isTie ? 1 : 0;
      largest.box = Math.max(largest.box, box);
      largest.landmark = Math.max(largest.landmark, landmark);
      largest.probability = Math.max(largest.probability, probability);
    });
  });
  if (largest.ties > Math.max(1, MAX_TIES * largest.faces)) {
    throw new Error(`Too many faces differ: ${JSON.stringify(largest)}`);
  }
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
