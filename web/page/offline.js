const WAIT_MS = 2000;
const THIS_COMPUTER = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Let the service worker keep this page's files, so that the page works offline from the next visit
 * on. Waits a moment for it, so that it sees the files of the model too.
 *
 * At the root of a port of this computer (`emopy serve`) nothing is kept: another program that uses
 * the port later would get this page instead of its own.
 */
export async function startOffline() {
  if (!("serviceWorker" in navigator)) return;
  if (location.pathname === "/" && THIS_COMPUTER.includes(location.hostname)) return;
  try {
    const registration = await navigator.serviceWorker.register("service_worker.js");
    useNewVersion(registration.waiting);
    registration.addEventListener("updatefound", () => useNewVersion(registration.installing));
  } catch {
    return; // not over https, or the browser keeps nothing: the page works, but not offline
  }
  document.getElementById("works-offline")?.removeAttribute("hidden");
  if (navigator.serviceWorker.controller) return;
  const wait = new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  await Promise.race([nextController(), wait]);
}

/** Load the page again when a new version has been kept, unless something is open. @param {ServiceWorker | null} worker */
function useNewVersion(worker) {
  if (!worker || !navigator.serviceWorker.controller) return; // the first version
  const use = async () => {
    if (worker.state !== "installed" || !isEmpty()) return;
    const replaced = nextController();
    worker.postMessage("take over");
    await replaced; // up to half a minute in Chromium, if the old version was just starting
    if (isEmpty()) location.reload();
  };
  worker.addEventListener("statechange", use);
  use();
}

const isEmpty = () => document.body.dataset.mode === "empty";

function nextController() {
  return new Promise((resolve) =>
    navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
  );
}
