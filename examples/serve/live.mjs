// Send JPEG images as the frames of a camera over a WebSocket: node live.mjs IMAGE…
// Start a service first: emopy serve. Needs Node 22 or later, or a browser, which has a WebSocket
// too; there, the frames come from a <video> through canvas.toBlob(…, "image/jpeg").
import { readFile } from "node:fs/promises";

const url = process.env.EMOPY_URL ?? "http://127.0.0.1:8000";
const key = process.env.EMOPY_KEY;
const frames = await Promise.all(process.argv.slice(2).map((path) => readFile(path)));

// A browser cannot set headers of a WebSocket: a key is given as a subprotocol.
const protocols = key ? ["emopy", `emopy-key.${key}`] : [];
const socket = new WebSocket(`${url.replace(/^http/, "ws")}/v1/live?smoothing_s=0.3`, protocols);

let sent = 0;
const sendNext = () => (sent < frames.length ? socket.send(frames[sent++]) : socket.close());

socket.onopen = sendNext;
socket.onmessage = ({ data }) => {
  const { error, faces, frame } = JSON.parse(data);
  if (error) console.error(error); // the frame was no image; the session stays open
  for (const { track, emotion, confidence } of faces)
    console.log(`frame ${frame}, track ${track}:`, emotion ?? "not sure", confidence.toFixed(2));
  sendNext(); // the next frame when this one is answered: no frame waits, none is dropped
};
socket.onclose = ({ code, reason }) => {
  if (sent < frames.length) console.error(`The session ended: ${code} ${reason}`);
  process.exitCode = sent < frames.length ? 1 : 0;
};
