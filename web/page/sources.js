/** Opens the camera, images and videos; says in plain words why one cannot be opened. */

/** An error whose text is for the user. */
export class SourceError extends Error {}

const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

/** Texts for the names of errors that browsers give. @type {Record<string, string>} */
const CAMERA_ERRORS = {
  NotAllowedError:
    "The camera is blocked. Allow it in the address bar of the browser, then press Camera again.",
  NotFoundError: "No camera was found. Connect one, or open an image or a video.",
  NotReadableError:
    "The camera cannot be read: another program may be using it. Close that, then press Camera again.",
};

/**
 * Open a camera.
 * @param {string} [deviceId] Which one; the browser's choice where there is none.
 * @returns {Promise<MediaStream>}
 */
export async function openCamera(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new SourceError(
      "The browser gives this page no camera: it must be opened with https, or from this machine.",
    );
  }
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  try {
    return await navigator.mediaDevices.getUserMedia({
      video: { ...CAMERA, ...which },
      audio: false,
    });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new SourceError(CAMERA_ERRORS[name] ?? `The camera cannot be opened: ${error}`);
  }
}

/** The cameras of this device; those that a page may not know yet have no names. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput" && device.deviceId);
}

/** Whether a file is a video, by its type or the end of its name. @param {File} file */
export function isVideo(file) {
  return file.type.startsWith("video/") || /\.(mp4|m4v|mov|webm|mkv|avi|ogv)$/i.test(file.name);
}

/**
 * Load a sample image of the page.
 * @param {string} url @param {string} name
 */
export async function loadSample(url, name) {
  const response = await fetch(url);
  if (!response.ok) {
    throw new SourceError(`“${name}” cannot be loaded: the server answers ${response.status}.`);
  }
  return response.blob();
}

/**
 * Decode an image, upright.
 * @param {Blob} file @param {string} name
 * @returns {Promise<ImageBitmap>}
 */
export async function openImage(file, name) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new SourceError(
      `“${name}” cannot be opened as an image: it is damaged, or of a kind that the browser does ` +
        "not know. Try a JPEG, PNG or WebP file.",
    );
  }
}

/**
 * Load a video file into a video element, without starting it.
 * @param {HTMLVideoElement} video @param {File} file
 * @param {AbortSignal} signal Closes it, if it is not loaded yet.
 */
export async function openVideo(video, file, signal) {
  video.srcObject = null;
  video.src = URL.createObjectURL(file);
  await unlessClosed(video, signal, (listening) => {
    const event = new Promise((resolve) => {
      for (const name of ["loadeddata", "error"]) video.addEventListener(name, resolve, listening);
    });
    video.load();
    return event;
  });
  if (video.videoWidth && !video.error) return video;
  closeVideo(video);
  throw new SourceError(
    `“${file.name}” cannot be played: it is damaged, or of a kind that the browser does not ` +
      "know. Try an MP4 (H.264) or WebM file.",
  );
}

/**
 * Show a camera in a video element.
 * @param {HTMLVideoElement} video @param {MediaStream} stream
 * @param {AbortSignal} signal Closes it, if it is not shown yet.
 */
export async function showCamera(video, stream, signal) {
  video.srcObject = stream;
  await unlessClosed(video, signal, () => video.play());
  return video;
}

/**
 * Wait until a video is open.
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal Closes it before.
 * @param {(listening: {signal: AbortSignal}) => Promise<unknown>} open Its listeners are removed at
 *   the end.
 */
async function unlessClosed(video, signal, open) {
  const done = new AbortController();
  const listening = { signal: done.signal };
  const closed = new Promise((_, reject) => {
    const close = () => {
      closeVideo(video);
      reject(signal.reason);
    };
    signal.addEventListener("abort", close, listening);
  });
  try {
    await Promise.race([open(listening), closed]);
  } catch (error) {
    if (!signal.aborted) closeVideo(video); // else it is closed, and may show something else
    throw error;
  } finally {
    done.abort();
  }
}

/** Play a video; one that is paused or closed before it starts does not. @param {HTMLVideoElement} video */
export async function play(video) {
  try {
    await video.play();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }
}

/** Stop a camera or a video, and free what it holds. @param {HTMLVideoElement} video */
export function closeVideo(video) {
  video.pause();
  if (video.srcObject instanceof MediaStream) stopCamera(video.srcObject);
  video.srcObject = null;
  if (!video.src) return;
  URL.revokeObjectURL(video.src);
  video.removeAttribute("src");
  video.load();
}

/** @param {MediaStream} stream */
export function stopCamera(stream) {
  for (const track of stream.getTracks()) track.stop();
}
