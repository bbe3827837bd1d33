// Post images to a service with fetch: node predict.mjs IMAGE…
// Start one first: emopy serve
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

const url = process.env.EMOPY_URL ?? "http://127.0.0.1:8000";
const key = process.env.EMOPY_KEY;

/** Send the request; while the service has no free place, wait as long as it asks for. */
async function post(path, body, attempts = 5) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const response = await fetch(url + path, { method: "POST", headers, body });
  if (response.status !== 429 || attempts === 1) return response;
  const seconds = Number(response.headers.get("Retry-After") ?? 1);
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  return post(path, body, attempts - 1);
}

for (const path of process.argv.slice(2)) {
  const form = new FormData();
  form.append("file", new Blob([await readFile(path)]), basename(path));
  const response = await post("/v1/predict", form);
  const answer = await response.json();
  if (!response.ok) {
    console.error(answer.detail); // problem details, RFC 9457
    process.exitCode = 1;
    continue;
  }
  for (const { source, faces } of answer.results)
    for (const { emotion, confidence } of faces)
      console.log(source, emotion ?? "not sure", confidence.toFixed(2));
}
