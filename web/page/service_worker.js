/// <reference lib="webworker" />
/** Keeps the files of the page, so that it works offline.
 *
 * A file is kept with the checksum of its content, so that files that a new version of the page did
 * not change are not loaded again, and one version never gets a file of another. Large files are
 * kept when the page first loads them; a new version loads its own of those that are kept before it
 * takes over, so that the next visit can be one without a network.
 */

const CACHE = "emopy-files";
const LOADED_LATER = /\.(wasm|onnx)$/;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const scope = new URL("./", worker.location.href);

/** @param {string} path */
const keyOf = (path) => new URL(`${path}?sha256=${FILE_CHECKSUMS[path]}`, scope).href;

worker.addEventListener("install", (event) => event.waitUntil(loadAll(event)));
worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));
worker.addEventListener("message", () => worker.skipWaiting());
worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || !url.href.startsWith(scope.href)) return;
  const path = url.pathname.slice(scope.pathname.length) || "index.html";
  if (path in FILE_CHECKSUMS) event.respondWith(kept(path, event));
});

/** Path of the file that a key of the cache belongs to. @param {string} key */
const pathOf = (key) => new URL(key).pathname.slice(scope.pathname.length);

/** Load what the page needs at once, and what older versions keep. @param {ExtendableEvent} event */
async function loadAll(event) {
  const cache = await caches.open(CACHE);
  const older = new Set((await cache.keys()).map(({ url }) => pathOf(url)));
  const paths = Object.keys(FILE_CHECKSUMS).filter(
    (path) => !LOADED_LATER.test(path) || older.has(path),
  );
  const responses = await Promise.all(paths.map((path) => kept(path, event)));
  if (!responses.every((response) => response.ok)) throw new Error("a file is missing");
}

/** Remove the files of older versions where those of this one are kept, and serve the open pages. */
async function takeOver() {
  const cache = await caches.open(CACHE);
  const keys = (await cache.keys()).map(({ url }) => url);
  for (const key of keys) {
    const path = pathOf(key);
    const isOld = !(path in FILE_CHECKSUMS) || (key !== keyOf(path) && keys.includes(keyOf(path)));
    if (isOld) await cache.delete(key);
  }
  await worker.clients.claim();
}

/** A file from the cache, else from the server. @param {string} path @param {ExtendableEvent} event */
async function kept(path, event) {
  const cache = await caches.open(CACHE);
  const key = keyOf(path);
  const found = await cache.match(key);
  if (found) return found;
  // Some hosts redirect "index.html" to the folder, which a browser refuses here.
  const url = new URL(path === "index.html" ? "./" : path, scope);
  const response = await fetch(url, { cache: "no-cache" });
  if (response.ok) event.waitUntil(keep(cache, key, response.clone(), FILE_CHECKSUMS[path]));
  return response;
}

/**
 * Keep a response, if it is the file of this version: during an update a server may have another.
 * @param {Cache} cache @param {string} key @param {Response} response @param {string} checksum
 */
async function keep(cache, key, response, checksum) {
  const content = await response.arrayBuffer();
  const headers = new Headers(response.headers);
  headers.delete("Content-Encoding"); // the content is decoded
  headers.set("Content-Length", String(content.byteLength));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found === checksum) await cache.put(key, new Response(content, { headers }));
}
