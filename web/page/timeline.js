import { append, setText } from "../../src/emopy/live/present/elements.js";
import { areasOf, drawAreas, drawNames, drawTimes } from "./stacked_areas.js";
import { duration } from "./time_text.js";
import { TimeBins } from "./time_bins.js";

/** @typedef {import("../src/index.js").ImageResult} ImageResult */
/** @typedef {import("./time_bins.js").ProbabilityCurve} ProbabilityCurve */

/** Shortest time between two drawings. */
const INTERVAL_MS = 250;
const MAX_INTERVAL_MS = 2000;
const MAX_TRACKS = 6;

/** Faces that were visible for less are not shown. */
const MIN_DURATION_S = 0.3;

/** Height below the last plot for its times, in CSS pixels. */
const TIMES_HEIGHT = 18;

/** Probabilities of the faces of a video over time: a plot per face, which grows. */
export class Timeline {
  /** Called with a time in seconds that was clicked. @type {(timeS: number) => void} */
  onSeek = () => {};
  #bins = new TimeBins();
  /** @type {Map<number, {root: HTMLElement, seen: HTMLElement, canvas: HTMLCanvasElement}>} */
  #plots = new Map();
  #drawn = -Infinity;
  #section;
  #tracks;
  #legend;
  /** @type {Record<string, string>} */
  #colors = {};

  /** @param {{section: HTMLElement, tracks: HTMLElement, legend: HTMLElement}} elements */
  constructor({ section, tracks, legend }) {
    this.#section = section;
    this.#tracks = tracks;
    this.#legend = legend;
    new ResizeObserver(() => this.draw()).observe(tracks);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /**
   * Start again, for a video or hidden.
   * @param {Record<string, string> | null} colors Color of each label; null hides the timeline.
   */
  reset(colors) {
    this.#bins = new TimeBins();
    this.#plots.clear();
    this.#tracks.replaceChildren();
    this.#legend.replaceChildren();
    this.#section.hidden = true;
    this.#colors = colors ?? {};
    for (const [label, color] of Object.entries(this.#colors)) {
      const entry = append("span", "", this.#legend);
      entry.style.setProperty("--color", color);
      setText(entry, label);
    }
  }

  /** @param {ImageResult} result Of the next frame. */
  add(result) {
    this.#bins.add(result);
    if (performance.now() - this.#drawn >= this.#intervalMs) this.draw();
  }

  /** A plot of a long time changes by a pixel only after a while. */
  get #intervalMs() {
    const [start, end] = this.#bins.spanS;
    const width = this.#tracks.clientWidth || Infinity; // 0 while nothing is shown
    const pixelMs = (1000 * (end - start)) / width;
    return Math.min(Math.max(INTERVAL_MS, pixelMs), MAX_INTERVAL_MS);
  }

  /** Draw what has been added so far. */
  draw() {
    this.#drawn = performance.now();
    const seen = [...this.#bins.seenS].filter(([, seconds]) => seconds >= MIN_DURATION_S);
    seen.sort((one, other) => other[1] - one[1] || one[0] - other[0]);
    const shown = seen.slice(0, MAX_TRACKS).sort((one, other) => one[0] - other[0]);
    this.#section.hidden = !shown.length;
    this.#reconcile(shown.map(([track]) => track));
    shown.forEach(([track, seconds], index) => {
      const plot = this.#plots.get(track);
      if (!plot) return;
      setText(plot.seen, `seen for ${duration(seconds)}`);
      this.#drawPlot(track, plot.canvas, index === shown.length - 1);
    });
  }

  /** Keep one plot per track, in the order of the tracks. @param {number[]} tracks */
  #reconcile(tracks) {
    for (const [track, { root }] of this.#plots) {
      if (tracks.includes(track)) continue;
      root.remove();
      this.#plots.delete(track);
    }
    tracks.forEach((track, index) => {
      const plot = this.#plots.get(track) ?? this.#createPlot(track);
      const current = this.#tracks.children[index];
      if (current !== plot.root) this.#tracks.insertBefore(plot.root, current ?? null);
    });
  }

  /** @param {number} track */
  #createPlot(track) {
    const root = append("div", "track", this.#tracks);
    const title = append("h3", "", root);
    title.append(`Face ${track}`);
    const seen = append("span", "", title);
    const canvas = append("canvas", "", root);
    canvas.setAttribute("role", "img");
    canvas.addEventListener("click", ({ offsetX }) => {
      const [start, end] = this.#bins.spanS;
      this.onSeek(start + (offsetX / canvas.clientWidth) * (end - start));
    });
    const plot = { root, seen, canvas };
    this.#plots.set(track, plot);
    return plot;
  }

  /** @param {number} track @param {HTMLCanvasElement} canvas @param {boolean} isLast */
  #drawPlot(track, canvas, isLast) {
    const context = canvas.getContext("2d");
    if (!context) return;
    const ratio = globalThis.devicePixelRatio || 1;
    const [width, full] = [canvas.clientWidth, canvas.clientHeight];
    fit(canvas, Math.round(width * ratio), Math.round(full * ratio));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, full);
    const height = full - (isLast ? TIMES_HEIGHT : 0);
    const plot = { context, width, height, spanS: this.#bins.spanS };
    const curves = this.#bins.curves(track);
    const areas = curves.map(areasOf);
    const style = getComputedStyle(this.#legend);
    const font = { size: parseFloat(style.fontSize), family: style.fontFamily };
    drawAreas(plot, areas, Object.values(this.#colors));
    drawNames(plot, areas, this.#colors, font);
    canvas.ariaLabel = this.#describe(track, curves);
    if (!isLast) return;
    context.clearRect(0, height, width, full - height);
    drawTimes(plot, { color: style.color, font: `${font.size}px ${font.family}` });
  }

  /**
   * The mean probabilities of a track, for people who do not see the plot.
   * @param {number} track @param {readonly ProbabilityCurve[]} curves
   */
  #describe(track, curves) {
    const labels = Object.keys(this.#colors);
    const sums = new Float64Array(labels.length);
    let rows = 0;
    for (const { timesS, probabilities } of curves) {
      rows += timesS.length - 1;
      const end = (timesS.length - 1) * labels.length; // the last row is that before it
      for (let i = 0; i < end; i++) sums[i % labels.length] += probabilities[i];
    }
    const means = labels
      .map((label, index) => ({ label, mean: sums[index] / Math.max(rows, 1) }))
      .sort((one, other) => other.mean - one.mean)
      .slice(0, 3)
      .map(({ label, mean }) => `${label} ${Math.round(100 * mean)} %`);
    return `Face ${track}, mean probabilities: ${means.join(", ")}`;
  }
}

/** Set the size of a canvas, unless it has it: a new size takes new memory. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function fit(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
