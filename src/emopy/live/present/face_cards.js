import { append, setText } from "./elements.js";
import { clip, labelOf, numberOf, percent } from "./faces.js";

/** @typedef {import("./faces.js").FaceRecord} FaceRecord */

/** A list of faces, each with a bar for every label. */
export class FaceCards {
  #root;
  /** @type {Map<number, Card>} */
  #cards = new Map();

  /** @param {HTMLElement} root Empty element for the cards. */
  constructor(root) {
    this.#root = root;
  }

  /**
   * Show these faces, and no others.
   * @param {readonly FaceRecord[]} faces @param {Record<string, string>} colors Of each label.
   */
  show(faces, colors) {
    this.#root.dataset.found = faces.length > 2 ? "many" : faces.length ? "some" : "none";
    const present = new Set(faces.map(numberOf));
    for (const [number, card] of this.#cards) {
      if (present.has(number)) continue;
      card.root.remove();
      this.#cards.delete(number);
    }
    const sorted = [...faces].sort((one, other) => numberOf(one) - numberOf(other));
    sorted.forEach((face, index) => {
      const card = this.#cards.get(numberOf(face)) ?? new Card();
      this.#cards.set(numberOf(face), card);
      const current = this.#root.children[index];
      if (current !== card.root) this.#root.insertBefore(card.root, current ?? null);
      card.show(face, colors);
    });
  }
}

class Card {
  root = document.createElement("article");
  /** @type {Map<string, {root: HTMLElement, fill: HTMLElement, percent: HTMLElement, color?: string}>} */
  #rows = new Map();

  constructor() {
    const title = append("h3", "", this.root);
    this.number = append("span", "number", title);
    this.name = append("span", "name", title);
    this.confidence = append("span", "confidence", title);
    this.list = append("ol", "", this.root);
  }

  /** @param {FaceRecord} face @param {Record<string, string>} colors */
  show(face, colors) {
    setText(this.number, String(numberOf(face)));
    this.number.title = face.track === undefined ? "face number" : "track number";
    setText(this.name, labelOf(face));
    setText(this.confidence, percent(face.confidence));
    const labels = Object.keys(face.probabilities);
    if (labels.join("\n") !== [...this.#rows.keys()].join("\n")) {
      this.list.replaceChildren();
      this.#rows = new Map(labels.map((label) => [label, this.#createRow(label)]));
    }
    for (const [label, row] of this.#rows) {
      const probability = face.probabilities[label];
      const className = label === face.emotion ? "predicted" : "";
      if (row.root.className !== className) row.root.className = className;
      if (row.color !== colors[label]) row.fill.style.setProperty("--color", colors[label]);
      row.color = colors[label];
      row.fill.style.transform = `translateX(${Math.round(100 * clip(probability) - 100)}%)`;
      setText(row.percent, percent(probability));
    }
  }

  /** @param {string} label */
  #createRow(label) {
    const root = append("li", "", this.list);
    const name = append("span", "label", root);
    setText(name, label);
    name.dataset.text = label; // reserves room for the label in bold
    const fill = append("span", "fill", append("span", "bar", root));
    return { root, fill, percent: append("span", "percent", root) };
  }
}
