"use strict";
// Asks for the newest frame, draws it, then asks for the next: a slow browser skips frames.

const part = (id) => document.getElementById(id);
const page = document.body.dataset;
const picture = part("picture");
const brush = picture.getContext("2d");
const ruler = document.createElement("canvas").getContext("2d");
const boxes = new Map();
const cards = new Map();
const percent = (share) => `${Math.round(100 * (share ?? 0))} %`;
const named = (face) => face.emotion ?? "not sure";
const numbered = (face) => face.track ?? face.face;

const SAID_EVERY_MS = 500;
const SPOKEN_EVERY_MS = 3000;
let said = -Infinity;
let spoken = -Infinity;

function make(kind, name, parent) {
  const element = document.createElement(kind);
  element.className = name;
  parent.append(element);
  return element;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** One element per face: those of faces that are gone go, and new ones come, in order. */
function keep(elements, faces, create) {
  const wanted = new Set(faces.map(numbered));
  for (const [number, element] of elements) {
    if (!wanted.has(number)) {
      element.root.remove();
      elements.delete(number);
    }
  }
  for (const face of faces) {
    if (!elements.has(numbered(face))) elements.set(numbered(face), create());
  }
}

function createBox() {
  const root = make("div", "box", part("boxes"));
  const name = make("span", "", root);
  return { root, name, who: make("b", "", name), words: make("i", "", name) };
}

function drawBox(box, face, record, many) {
  const { width, height } = record.result;
  const { left, top, right, bottom } = face.box;
  const { root, name } = box;
  root.style.left = `${(100 * left) / width}%`;
  root.style.top = `${(100 * top) / height}%`;
  root.style.width = `${(100 * (right - left)) / width}%`;
  root.style.height = `${(100 * (bottom - top)) / height}%`;
  root.style.setProperty("--color", record.colors[face.emotion] ?? "#ffffff");
  write(box.who, many ? String(numbered(face)) : "");
  write(box.words, `${named(face)} ${percent(face.confidence)}`);
  // The name stands above the box; below it or inside where there is no room. It goes back only
  // where there is room to spare, so that it does not jump to and fro.
  const scale = picture.clientWidth / width;
  const room = (box.isMoved ? 60 : 40) / scale;
  box.isMoved = top < room;
  root.classList.toggle("low", box.isMoved && bottom + room < height);
  root.classList.toggle("full", box.isMoved && bottom + room >= height);
  // It stays within the picture.
  const whole = ruler.measureText(box.who.textContent + box.words.textContent).width + 48;
  const half = (root.classList.contains("brief") ? name.offsetWidth : whole) / 2 + 3;
  const middle = (scale * (left + right)) / 2;
  const kept = Math.min(Math.max(middle, half), picture.clientWidth - half);
  name.style.marginLeft = `${kept - middle}px`;
  const center = Math.min(Math.max(middle, whole / 2), picture.clientWidth - whole / 2);
  box.label = { center, half: whole / 2, y: scale * (box.isMoved ? bottom : top) };
}

/** Where names would cover each other, numbers stand alone; with room to spare, names again. */
function shorten() {
  for (const box of boxes.values()) {
    const spare = box.root.classList.contains("brief") ? 14 : 0;
    const isCrowded = [...boxes.values()].some(
      (other) =>
        other !== box &&
        Math.abs(other.label.center - box.label.center) < other.label.half + box.label.half + spare &&
        Math.abs(other.label.y - box.label.y) < 30 + spare,
    );
    box.root.classList.toggle("brief", isCrowded);
  }
}

function createCard() {
  const root = document.createElement("article");
  const title = make("h3", "", root);
  const card = { root, rows: new Map(), list: make("ol", "", root) };
  card.who = make("span", "who", title);
  card.name = make("span", "name", title);
  card.sure = make("span", "sure", title);
  return card;
}

function createRow(card, label, color) {
  const root = make("li", "", card.list);
  const name = make("span", "label", root);
  write(name, label);
  name.dataset.text = label; // keeps room for the name in bold
  const fill = make("span", "fill", make("span", "bar", root));
  fill.style.setProperty("--color", color);
  return { root, fill, part: make("span", "part", root) };
}

function drawCard(card, face, colors) {
  write(card.who, String(numbered(face)));
  card.who.title = face.track === undefined ? "number of the face" : "number of the person";
  write(card.name, named(face));
  write(card.sure, percent(face.confidence));
  for (const [label, share] of Object.entries(face.probabilities)) {
    if (!card.rows.has(label)) card.rows.set(label, createRow(card, label, colors[label]));
    const row = card.rows.get(label);
    row.root.className = label === face.emotion ? "first" : "";
    row.fill.style.transform = `translateX(${100 * (share ?? 0) - 100}%)`;
    write(row.part, percent(share));
  }
}

function drawFaces(record) {
  const faces = record.result.faces;
  const inOrder = [...faces].sort((one, other) => numbered(one) - numbered(other));
  document.body.dataset.found = faces.length > 2 ? "many" : faces.length ? "some" : "none";
  write(part("found"), faces.length > 1 ? `${faces.length} faces` : faces.length ? "1 face" : "Faces");
  keep(boxes, faces, createBox);
  keep(cards, faces, createCard);
  const { fontWeight, fontSize, fontFamily } = getComputedStyle(part("boxes"));
  ruler.font = `${fontWeight} ${fontSize} ${fontFamily}`;
  for (const face of faces) drawBox(boxes.get(numbered(face)), face, record, faces.length > 1);
  shorten();
  inOrder.forEach((face, place) => {
    const card = cards.get(numbered(face));
    const there = part("faces").children[place];
    if (there !== card.root) part("faces").insertBefore(card.root, there ?? null);
    drawCard(card, face, record.colors);
  });
}

function drawNumbers(record) {
  const now = performance.now();
  if (now - said >= SAID_EVERY_MS) {
    said = now;
    write(part("rate"), record.frames_per_s ? record.frames_per_s.toFixed(0) : "–");
    write(part("delay"), `${(1000 * record.delay_s).toFixed(0)} ms`);
    write(part("source"), record.result.source);
  }
  if (now - spoken >= SPOKEN_EVERY_MS) {
    spoken = now;
    const words = record.result.faces.map((face) => `${numbered(face)}: ${named(face)}`);
    write(part("spoken"), words.join(", ") || "no face");
  }
}

async function draw(form) {
  const record = JSON.parse(form.get("record"));
  const bitmap = await createImageBitmap(form.get("picture"));
  await new Promise(requestAnimationFrame);
  if (picture.width !== bitmap.width || picture.height !== bitmap.height) {
    picture.width = bitmap.width;
    picture.height = bitmap.height;
    part("stage").style.setProperty("--aspect", bitmap.width / bitmap.height);
  }
  brush.drawImage(bitmap, 0, 0);
  bitmap.close();
  become("live");
  drawFaces(record);
  drawNumbers(record);
  page.frames = String(Number(page.frames) + 1);
  return record.number;
}

function become(state, words = "") {
  if (page.state === state) return;
  page.state = state;
  write(part("state"), state);
  write(part("curtain"), words);
  part("stop").disabled = state === "ended";
}

async function follow() {
  let number = 0;
  try {
    for (;;) {
      const response = await fetch(`frame?after=${number}`);
      if (response.status === 200) number = await draw(await response.formData());
      else if (response.status !== 204) break;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // TypeError: nobody answers any more
  }
  become("ended", "The view has ended. You may close this page.");
  write(part("spoken"), "The view has ended.");
}

part("stop").addEventListener("click", () => {
  part("stop").disabled = true;
  fetch("stop", { method: "POST" }).catch(() => {});
});
follow();
