/** Free places of labels beside faces: a panel beside a box or in a corner, and a chip. */

/** @typedef {import("./faces.js").Box} Box */
/** @typedef {import("./face_labels.js").Size} Size */
/** @typedef {import("./face_labels.js").Style} Style */

/** Cost of moving a chip by its height; covering a face with a fifth of it costs as much. */
const MOVING_COST = 0.5;

/** Fraction of a panel that must be covered less before it moves to another corner. */
const CORNER_HYSTERESIS = 0.25;

/** @param {number} left @param {number} top @param {Size} size @returns {Box} */
const placeAt = (left, top, { width, height }) => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

/** @param {Box} box */
export const areaOf = (box) => (box.right - box.left) * (box.bottom - box.top);

/** Area of the intersection in pixels. @param {Box} one @param {Box} other */
export function overlap(one, other) {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return Math.max(width, 0) * Math.max(height, 0);
}

/**
 * A free place right of a box, left of it, below or above it; null without one.
 * @param {Size} size Of the panel.
 * @param {Box} box Of the face.
 * @param {readonly Box[]} occupied What must not be covered, the box among them.
 * @param {Size} canvas
 * @param {Style} style Sizes in use.
 * @param {Box | null} [previous] Place in the last frame: the nearest free place is used, and it
 *   follows the box only when that moves by more than a few pixels.
 * @returns {Box | null}
 */
export function placePanel(size, box, occupied, canvas, style, previous = null) {
  if (size.width > canvas.width || size.height > canvas.height) return null;
  const margin = style.line + Math.floor(style.gap / 2);
  for (const offsets of [alignedOffset, shiftedOffsets]) {
    const spansY = occupied.map((each) => [each.top, each.bottom]);
    const spansX = occupied.map((each) => [each.left, each.right]);
    const tops = offsets([box.top, box.bottom], size.height, canvas.height, spansY);
    const lefts = offsets([box.left, box.right], size.width, canvas.width, spansX);
    const places = [
      ...tops.map((top) => placeAt(box.right + margin, top, size)),
      ...tops.map((top) => placeAt(box.left - margin - size.width, top, size)),
      ...lefts.map((left) => placeAt(left, box.bottom + margin, size)),
      ...lefts.map((left) => placeAt(left, box.top - margin - size.height, size)),
    ];
    const free = places.filter((place) => isFree(place, canvas, occupied));
    if (!free.length) continue;
    if (previous === null) return free[0];
    const nearest = leastBy(free, (place) => distance(place, previous));
    const following = follow(nearest, previous, Math.floor(margin / 2));
    return isFree(following, canvas, occupied) ? following : nearest;
  }
  return null;
}

/**
 * The start of a panel that is aligned with the start of a side of the box.
 * @param {number[]} side @param {number} length @param {number} limit
 */
function alignedOffset(side, length, limit) {
  return [clamp(side[0], length, limit)];
}

/**
 * Starts of a panel next to something occupied, or at the end of a side of the box. The panel
 * touches the side; the starts nearest to the start of the side come first.
 * @param {number[]} side @param {number} length @param {number} limit @param {number[][]} occupied
 */
function shiftedOffsets([start, end], length, limit, occupied) {
  const edges = [end - length, ...occupied.flatMap(([first, last]) => [last, first - length])];
  const possible = [...new Set(edges.map((edge) => clamp(edge, length, limit)))];
  return possible
    .filter((offset) => offset < end && offset + length > start)
    .sort((one, other) => Math.abs(one - start) - Math.abs(other - start) || one - other);
}

/**
 * The place of a panel in the corner where it covers least of eyes, nose and mouth; null where
 * the panel would fill most of the image.
 * @param {Size} size @param {Box} box @param {Size} canvas @param {Style} style
 * @param {Box | null} [previous]
 * @returns {Box | null}
 */
export function placeCorner(size, box, canvas, style, previous = null) {
  const { gap } = style;
  if (gap + size.width > canvas.width * 0.75 || size.height > canvas.height * 0.4) return null;
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  // Of a detector's box: without forehead, chin and cheeks.
  const features = {
    left: box.left + Math.round(0.15 * width),
    top: box.top + Math.round(0.25 * height),
    right: box.right - Math.round(0.15 * width),
    bottom: box.bottom - Math.round(0.1 * height),
  };
  const [right, bottom] = [canvas.width - gap - size.width, canvas.height - gap - size.height];
  const corners = [
    [gap, bottom],
    [right, bottom],
    [gap, gap],
    [right, gap],
  ];
  const places = corners.map(([left, top]) => placeAt(left, top, size));
  return leastBy(places, (place) => {
    const isSame = previous?.left === place.left && previous.top === place.top;
    return overlap(place, features) / areaOf(place) - (isSame ? CORNER_HYSTERESIS : 0);
  });
}

/**
 * The best place of a chip; null only where it is larger than the image. Above the box is best,
 * then below, then inside it. Covering another label costs most, then covering faces, its own face
 * least. The chip leaves its place in the last frame only for a clearly better one.
 * @param {Size} size @param {Box} box @param {{faces: readonly Box[], labels: readonly Box[]}} others
 * @param {Size} canvas @param {Box | null} [previous]
 * @returns {Box | null}
 */
export function placeChip(size, box, others, canvas, previous = null) {
  const { width, height } = size;
  if (width > canvas.width || height > canvas.height) return null;
  const lefts = [box.left, box.right - width, Math.floor((box.left + box.right - width) / 2)];
  const tops = [box.top - height, box.bottom, box.top, box.bottom - height];
  tops.push(box.top - 2 * height, box.bottom + height);
  const places = tops.flatMap((top, rank) =>
    lefts.map((left) => ({
      rank,
      place: placeAt(clamp(left, width, canvas.width), clamp(top, height, canvas.height), size),
    })),
  );
  const { place: best } = leastBy(places, ({ rank, place }) => {
    const labels = others.labels.reduce((sum, other) => sum + overlap(place, other), 0);
    const faces = others.faces.reduce((sum, other) => sum + overlap(place, other), 0);
    const covered = (100 * labels + 3 * faces - 2 * overlap(place, box)) / areaOf(place);
    const moved = previous ? Math.min(distance(place, previous) / height, 1) : 0;
    return covered + rank / 10 + MOVING_COST * moved;
  });
  if (previous === null) return best;
  const following = follow(best, previous, Math.max(1, Math.floor(height / 10)));
  return placeAt(clamp(following.left, width, canvas.width), following.top, size);
}

/** @param {Box} place @param {Size} canvas @param {readonly Box[]} occupied */
function isFree(place, canvas, occupied) {
  const isInside =
    place.left >= 0 &&
    place.top >= 0 &&
    place.right <= canvas.width &&
    place.bottom <= canvas.height;
  return isInside && !occupied.some((other) => overlap(place, other));
}

/** City-block distance between the upper corners of the nearer side. @param {Box} one @param {Box} other */
function distance(one, other) {
  const sides = [Math.abs(one.left - other.left), Math.abs(one.right - other.right)];
  return Math.min(...sides) + Math.abs(one.top - other.top);
}

/**
 * The place within `slack` pixels of the wanted one that is nearest to the previous one.
 * @param {Box} wanted @param {Box} previous @param {number} slack
 */
function follow(wanted, previous, slack) {
  const left = Math.min(Math.max(previous.left, wanted.left - slack), wanted.left + slack);
  const top = Math.min(Math.max(previous.top, wanted.top - slack), wanted.top + slack);
  const size = { width: wanted.right - wanted.left, height: wanted.bottom - wanted.top };
  return placeAt(left, top, size);
}

/** The start nearest to the wanted one so that `length` pixels end within `limit`. @param {number} start @param {number} length @param {number} limit */
const clamp = (start, length, limit) => Math.min(Math.max(start, 0), limit - length);

/** The first item with the least cost. @template T @param {readonly T[]} items @param {(item: T) => number} cost */
function leastBy(items, cost) {
  const costs = items.map(cost);
  return items[costs.indexOf(Math.min(...costs))];
}
