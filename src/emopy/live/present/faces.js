/** Words and numbers of a face, as every view shows them. */

/**
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box
 * Pixels; right and bottom are excluded.
 */

/**
 * @typedef {{
 *   face: number, track?: number, box: Box, score: number | null,
 *   landmarks: number[][] | null, emotion: string | null, confidence: number | null,
 *   probabilities: Record<string, number | null>,
 * }} FaceRecord
 */

/**
 * @typedef {{
 *   source: string, width: number, height: number, time_s?: number, frame?: number,
 *   faces: FaceRecord[], error: string | null,
 * }} ResultRecord
 * What `ImageResult.to_dict` returns in Python.
 */

/** Text in place of an emotion where the confidence is below the least one. */
export const NOT_SURE = "not sure";

/** @param {FaceRecord} face */
export const labelOf = (face) => face.emotion ?? NOT_SURE;

/** The track of a face of a video, else its number in the image. @param {FaceRecord} face */
export const numberOf = (face) => face.track ?? face.face;

/** A probability within 0–1; 0 for none. @param {number | null | undefined} probability */
export const clip = (probability) => Math.min(Math.max(probability || 0, 0), 1);

/** @param {number | null | undefined} probability */
export const percent = (probability) => `${Math.round(100 * clip(probability))} %`;

/**
 * What is seen, for people who do not see the image.
 * @param {readonly FaceRecord[]} faces
 */
export function describe(faces) {
  if (!faces.length) return "no face";
  return [...faces]
    .sort((one, other) => numberOf(one) - numberOf(other))
    .map((face) => `${numberOf(face)}: ${labelOf(face)}`)
    .join(", ");
}

/** @param {number} count */
export const faceCount = (count) => (count > 1 ? `${count} faces` : count ? "1 face" : "no face");
