/** Boxes: rectangles in an image. */

/**
 * A rectangle in pixels of the image; right and bottom are excluded. It may reach beyond the image.
 *
 * @typedef {object} Box
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

/** Edges of a box, in the order in which they are written everywhere. */
export const EDGES = /** @type {const} */ (["left", "top", "right", "bottom"]);

/**
 * Area of a box in square pixels.
 *
 * @param {Box} box
 */
export function area(box) {
  return (box.right - box.left) * (box.bottom - box.top);
}

/**
 * Middle of a box as [x, y] in pixels.
 *
 * @param {Box} box
 * @returns {[number, number]}
 */
export function center(box) {
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
}

/**
 * Intersection over union of two boxes, 0–1.
 *
 * @param {Box} one
 * @param {Box} other
 */
export function iou(one, other) {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  const intersection = Math.max(0, width) * Math.max(0, height);
  return intersection / (area(one) + area(other) - intersection);
}
