const WAIT_MS = 2000;

/**
 * Let the service worker keep this page's files, so that the page works offline from the next visit
 * on. Waits a moment for it, so that it sees the files of the model too.
 */
export async function startOffline() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("service_worker.js");
  } catch {
    return; // not over https, or the browser keeps nothing: the page works, but not offline
  }
  if (navigator.serviceWorker.controller) return;
  const controlled = new Promise((resolve) =>
    navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
  );
  await Promise.race([controlled, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
}
