/** Color of each emotion on every page and image. Source: Okabe & Ito, "Color Universal Design",
 * https://jfly.uni-koeln.de/color/ (gray instead of the palette's black). */
/** @type {Record<string, string>} */
export declare const COLORS: Record<string, string>;
/**
 * The color of each label: that of its emotion; other labels use the palette in their order.
 * @param {readonly string[]} labels
 * @param {(label: string) => string} [canonical] The emotion that a label is a spelling of.
 * @returns {Record<string, string>}
 */
export declare function colorsOf(labels: readonly string[], canonical?: (label: string) => string): Record<string, string>;
/**
 * Whether dark text is readable on a color, rather than white text.
 * @param {string} color As "#rrggbb".
 */
export declare function isLight(color: string): boolean;
