/** Color of each emotion on every page and image. Source: Okabe & Ito, "Color Universal Design",
 * https://jfly.uni-koeln.de/color/ (gray instead of the palette's black). */

/** @type {Record<string, string>} */
export const COLORS = {
  anger: "#d55e00", // vermilion
  contempt: "#e69f00", // orange
  disgust: "#009e73", // bluish green
  fear: "#cc79a7", // reddish purple
  happiness: "#f0e442", // yellow
  neutral: "#bbbbbb",
  sadness: "#0072b2", // blue
  surprise: "#56b4e9", // sky blue
};

/**
 * The color of each label: that of its emotion; other labels use the palette in their order.
 * @param {readonly string[]} labels
 * @param {(label: string) => string} [canonical] The emotion that a label is a spelling of.
 * @returns {Record<string, string>}
 */
export function colorsOf(labels, canonical = (label) => label) {
  const palette = Object.values(COLORS);
  const colors = labels.map((label, index) => [
    label,
    COLORS[canonical(label)] ?? palette[index % palette.length],
  ]);
  return Object.fromEntries(colors);
}

/**
 * Whether dark text is readable on a color, rather than white text.
 * @param {string} color As "#rrggbb".
 */
export function isLight(color) {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 127.5;
}
