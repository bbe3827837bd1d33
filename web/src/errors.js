/**
 * Every error that EmoPy raises on purpose. The classes have the names of the Python package, and
 * the texts their form: *`argument` must be <rule>. Received <value>. <What to do instead>.*
 */

/** Base of every error that EmoPy raises on purpose; its text is meant for the user. */
export class EmoPyError extends Error {
  /** @param {string} text */
  constructor(text) {
    super(text);
    this.name = this.constructor.name;
  }
}

/** An image, video or argument that cannot be read or used. */
export class InputError extends EmoPyError {}

/** An emotion that is unknown, repeated, or too few of them. */
export class LabelError extends EmoPyError {}

/** A model whose files are missing or damaged, or whose card and weights disagree. */
export class ModelError extends EmoPyError {}

/** A model name that nothing here answers to, or a file that is not where it was looked for. */
export class ModelNotFoundError extends ModelError {}

const CLASSES = { EmoPyError, InputError, LabelError, ModelError, ModelNotFoundError };

/**
 * Write an error as an object that can be sent to another thread.
 *
 * @param {unknown} error
 * @returns {{name: string, message: string}}
 */
export function packError(error) {
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: "Error", message: String(error) };
}

/**
 * Make an error from what `packError` wrote, of the same class.
 *
 * @param {{name: string, message: string}} packed
 * @returns {Error}
 */
export function unpackError({ name, message }) {
  const known = /** @type {Record<string, new (text: string) => Error>} */ (CLASSES);
  if (Object.hasOwn(known, name)) return new known[name](message);
  return Object.assign(new Error(message), { name });
}

/** Least similarity, 0–1, of a name that `nearest` offers. */
const MIN_SIMILARITY = 0.6;

/**
 * Say which known names are nearest to a mistyped one.
 *
 * @param {string} word What the user typed.
 * @param {Iterable<string>} known The names that would have been right.
 * @returns {string} Such as ``Did you mean 'sadness'? Known: anger, fear, sadness.``
 */
export function nearest(word, known) {
  const names = [...known];
  const typed = word.slice(0, 80).toLowerCase();
  const close = names
    .map((name) => ({ name, ratio: similarity(typed, name) }))
    .filter(({ ratio }) => ratio >= MIN_SIMILARITY)
    .sort((one, other) => other.ratio - one.ratio)
    .slice(0, 2)
    .map(({ name }) => `'${name}'`);
  const hint = close.length ? `Did you mean ${close.join(" or ")}? ` : "";
  return `${hint}Known: ${names.join(", ")}.`;
}

/**
 * Twice the longest common subsequence, relative to both lengths: 1 for equal words.
 *
 * @param {string} one
 * @param {string} other
 */
function similarity(one, other) {
  let lengths = new Uint16Array(other.length + 1);
  for (const letter of one) {
    const row = new Uint16Array(other.length + 1);
    for (let i = 0; i < other.length; i++) {
      row[i + 1] = letter === other[i] ? lengths[i] + 1 : Math.max(row[i], lengths[i + 1]);
    }
    lengths = row;
  }
  return (2 * lengths[other.length]) / Math.max(1, one.length + other.length);
}

/**
 * Describe a value in an error: the class of an object, else the value.
 *
 * @param {unknown} value
 */
export function describe(value) {
  if (typeof value === "string") return `'${value.slice(0, 80)}'`;
  if (typeof value === "object" && value !== null) return value.constructor?.name ?? "an object";
  return String(value);
}
