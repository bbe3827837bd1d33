"use strict";
// Requests the newest frame, draws it, then requests the next: a slow browser skips frames.

const byId = (id) => document.getElementById(id);
const page = document.body.dataset;
const canvas = byId("image");
const context = canvas.getContext("2d");
const textMeasure = document.createElement("canvas").getContext("2d");
const boxes = new Map();
const cards = new Map();
const percent = (probability) => `${Math.round(100 * (probability ?? 0))} %`;
const labelOf = (face) => face.emotion ?? "not sure";
const numberOf = (face) => face.track ?? face.face;

const STATS_INTERVAL_MS = 500;
const STATUS_INTERVAL_MS = 3000; // of the text for screen readers
let statsTime = -Infinity;
let statusTime = -Infinity;

function append(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Keep one element per face: remove those of faces that are gone, and create new ones. */
function reconcile(elements, faces, create) {
  const present = new Set(faces.map(numberOf));
  for (const [number, element] of elements) {
    if (!present.has(number)) {
      element.root.remove();
      elements.delete(number);
    }
  }
  for (const face of faces) {
    if (!elements.has(numberOf(face))) elements.set(numberOf(face), create());
  }
}

function createBox() {
  const root = append("div", "box", byId("boxes"));
  const tag = append("span", "", root);
  return { root, tag, number: append("b", "", tag), text: append("i", "", tag) };
}

function drawBox(box, face, record, severalFaces) {
  const { width, height } = record.result;
  const { left, top, right, bottom } = face.box;
  const { root, tag } = box;
  root.style.left = `${(100 * left) / width}%`;
  root.style.top = `${(100 * top) / height}%`;
  root.style.width = `${(100 * (right - left)) / width}%`;
  root.style.height = `${(100 * (bottom - top)) / height}%`;
  root.style.setProperty("--color", record.colors[face.emotion] ?? "#ffffff");
  setText(box.number, severalFaces ? String(numberOf(face)) : "");
  setText(box.text, `${labelOf(face)} ${percent(face.confidence)}`);
  // The tag is above the box, or below or inside it where there is no room. It moves back only
  // with room to spare (hysteresis), so that it does not flicker.
  const scale = canvas.clientWidth / width;
  const room = (box.isMoved ? 60 : 40) / scale;
  box.isMoved = top < room;
  root.classList.toggle("below", box.isMoved && bottom + room < height);
  root.classList.toggle("inside", box.isMoved && bottom + room >= height);
  // The tag stays within the image.
  const fullWidth = textMeasure.measureText(box.number.textContent + box.text.textContent).width + 48;
  const half = (root.classList.contains("short") ? tag.offsetWidth : fullWidth) / 2 + 3;
  const middle = (scale * (left + right)) / 2;
  const clamped = Math.min(Math.max(middle, half), canvas.clientWidth - half);
  tag.style.marginLeft = `${clamped - middle}px`;
  const center = Math.min(Math.max(middle, fullWidth / 2), canvas.clientWidth - fullWidth / 2);
  box.label = { center, half: fullWidth / 2, y: scale * (box.isMoved ? bottom : top) };
}

/** Shorten tags to numbers where they would overlap; restore them with room to spare. */
function shortenTags() {
  for (const box of boxes.values()) {
    const spare = box.root.classList.contains("short") ? 14 : 0;
    const overlaps = [...boxes.values()].some(
      (other) =>
        other !== box &&
        Math.abs(other.label.center - box.label.center) < other.label.half + box.label.half + spare &&
        Math.abs(other.label.y - box.label.y) < 30 + spare,
    );
    box.root.classList.toggle("short", overlaps);
  }
}

function createCard() {
  const root = document.createElement("article");
  const title = append("h3", "", root);
  const card = { root, rows: new Map(), list: append("ol", "", root) };
  card.number = append("span", "number", title);
  card.name = append("span", "name", title);
  card.confidence = append("span", "confidence", title);
  return card;
}

function createRow(card, label, color) {
  const root = append("li", "", card.list);
  const name = append("span", "label", root);
  setText(name, label);
  name.dataset.text = label; // reserves room for the label in bold
  const fill = append("span", "fill", append("span", "bar", root));
  fill.style.setProperty("--color", color);
  return { root, fill, percent: append("span", "percent", root) };
}

function drawCard(card, face, colors) {
  setText(card.number, String(numberOf(face)));
  card.number.title = face.track === undefined ? "face number" : "track number";
  setText(card.name, labelOf(face));
  setText(card.confidence, percent(face.confidence));
  for (const [label, probability] of Object.entries(face.probabilities)) {
    if (!card.rows.has(label)) card.rows.set(label, createRow(card, label, colors[label]));
    const row = card.rows.get(label);
    row.root.className = label === face.emotion ? "predicted" : "";
    row.fill.style.transform = `translateX(${100 * (probability ?? 0) - 100}%)`;
    setText(row.percent, percent(probability));
  }
}

function drawFaces(record) {
  const faces = record.result.faces;
  const sorted = [...faces].sort((one, other) => numberOf(one) - numberOf(other));
  page.found = faces.length > 2 ? "many" : faces.length ? "some" : "none";
  setText(byId("found"), faces.length > 1 ? `${faces.length} faces` : faces.length ? "1 face" : "Faces");
  reconcile(boxes, faces, createBox);
  reconcile(cards, faces, createCard);
  const { fontWeight, fontSize, fontFamily } = getComputedStyle(byId("boxes"));
  textMeasure.font = `${fontWeight} ${fontSize} ${fontFamily}`;
  for (const face of faces) drawBox(boxes.get(numberOf(face)), face, record, faces.length > 1);
  shortenTags();
  sorted.forEach((face, index) => {
    const card = cards.get(numberOf(face));
    const current = byId("faces").children[index];
    if (current !== card.root) byId("faces").insertBefore(card.root, current ?? null);
    drawCard(card, face, record.colors);
  });
}

function drawStats(record) {
  const now = performance.now();
  if (now - statsTime >= STATS_INTERVAL_MS) {
    statsTime = now;
    setText(byId("fps"), record.fps ? record.fps.toFixed(0) : "–");
    setText(byId("latency"), `${(1000 * record.latency_s).toFixed(0)} ms`);
    setText(byId("source"), record.result.source);
  }
  if (now - statusTime >= STATUS_INTERVAL_MS) {
    statusTime = now;
    const labels = record.result.faces.map((face) => `${numberOf(face)}: ${labelOf(face)}`);
    setText(byId("status"), labels.join(", ") || "no face");
  }
}

async function draw(form) {
  const record = JSON.parse(form.get("record"));
  const bitmap = await createImageBitmap(form.get("image"));
  await new Promise(requestAnimationFrame);
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    byId("stage").style.setProperty("--aspect", bitmap.width / bitmap.height);
  }
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  setState("live");
  drawFaces(record);
  drawStats(record);
  page.frames = String(Number(page.frames) + 1);
  return record.number;
}

function setState(state, message = "") {
  if (page.state === state) return;
  page.state = state;
  setText(byId("state"), state);
  setText(byId("message"), message);
  byId("stop").disabled = state === "ended";
}

async function poll() {
  let number = 0;
  for (;;) {
    let form;
    try {
      const response = await fetch(`frame?after=${number}`);
      if (response.status === 204) continue;
      if (response.status !== 200) break;
      form = await response.formData();
    } catch {
      break; // the server has stopped
    }
    number = await draw(form);
  }
  setState("ended", "The live view has ended. You can close this page.");
  setText(byId("status"), "The live view has ended.");
}

byId("stop").addEventListener("click", () => {
  byId("stop").disabled = true;
  fetch("stop", { method: "POST" }).catch(() => {});
});
poll();
