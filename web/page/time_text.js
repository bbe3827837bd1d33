/** Times and durations as text. */

/**
 * Return a time as minutes and seconds, with hours where there are any, such as "1:23.2".
 *
 * @param {number} timeS Seconds, zero or more.
 * @param {number} [digits] Decimals of the seconds.
 */
export function clock(timeS, digits = 0) {
  const ticks = Math.round(timeS * 10 ** digits);
  const whole = Math.floor(ticks / 10 ** digits);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const seconds = String(whole % 60).padStart(2, "0");
  const start = hours ? `${hours}:${String(minutes).padStart(2, "0")}` : `${minutes}`;
  const rest = digits ? `.${String(ticks % 10 ** digits).padStart(digits, "0")}` : "";
  return `${start}:${seconds}${rest}`;
}

/**
 * Return a duration with its unit, such as "12.3 s" or "12:34 min".
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  return `${clock(seconds)} ${seconds < 3599.5 ? "min" : "h"}`;
}

/**
 * Return a number of bytes with its unit, such as "3.4 MB".
 *
 * @param {number} bytes
 */
export function byteCount(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
