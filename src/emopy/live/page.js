// Requests the newest frame, draws it, then requests the next: a slow browser skips frames.

import { Announcer } from "./present/announcer.js";
import { byId, setText } from "./present/elements.js";
import { FaceCards } from "./present/face_cards.js";
import { describe, faceCount } from "./present/faces.js";
import { Overlay } from "./present/overlay.js";

/**
 * @typedef {{
 *   number: number, latency_s: number, fps: number, colors: Record<string, string>,
 *   result: import("./present/faces.js").ResultRecord,
 * }} FrameRecord
 */

const page = document.body.dataset;
const canvas = /** @type {HTMLCanvasElement} */ (byId("image"));
const stop = /** @type {HTMLButtonElement} */ (byId("stop"));
const context = canvas.getContext("2d");
const overlay = new Overlay(/** @type {HTMLCanvasElement} */ (byId("boxes")));
const cards = new FaceCards(byId("faces"));
const announcer = new Announcer(byId("status"));

const STATS_INTERVAL_MS = 500;
let statsTime = -Infinity;

/** @param {FrameRecord} record */
function drawStats(record) {
  const now = performance.now();
  if (now - statsTime < STATS_INTERVAL_MS) return;
  statsTime = now;
  setText(byId("fps"), record.fps ? record.fps.toFixed(0) : "–");
  setText(byId("latency"), `${(1000 * record.latency_s).toFixed(0)} ms`);
  setText(byId("source"), record.result.source);
}

/** @param {FormData} form */
async function draw(form) {
  /** @type {FrameRecord} */
  const record = JSON.parse(String(form.get("record")));
  const bitmap = await createImageBitmap(/** @type {File} */ (form.get("image")));
  await new Promise(requestAnimationFrame);
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    byId("stage").style.setProperty("--aspect", String(bitmap.width / bitmap.height));
  }
  context?.drawImage(bitmap, 0, 0);
  bitmap.close();
  setState("live");
  const { faces } = record.result;
  overlay.draw(record.result, record.colors);
  cards.show(faces, record.colors);
  setText(byId("found"), faces.length ? faceCount(faces.length) : "Faces");
  byId("none").hidden = faces.length > 0;
  announcer.update(describe(faces));
  drawStats(record);
  page.frames = String(Number(page.frames) + 1);
  return record.number;
}

/** @param {"live" | "ended"} state */
function setState(state, message = "") {
  if (page.state === state) return;
  page.state = state;
  setText(byId("state"), state);
  setText(byId("message"), message);
  stop.disabled = state === "ended";
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
  announcer.say("The live view has ended.");
}

stop.addEventListener("click", () => {
  stop.disabled = true;
  fetch("stop", { method: "POST" }).catch(() => {});
});
poll();
