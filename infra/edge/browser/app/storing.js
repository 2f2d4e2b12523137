// The app is stored on this device by its service worker; here the page waits for that and hears of new versions.

import { UpdateRefused } from "./release.js";
import { NO_ROOM } from "./shelf.js";

const PATIENCE = 20_000; // milliseconds for what was thrown away to be here again

/**
 * Wait until the app is stored: true; false where it cannot be, so that the page needs a link each time.
 *
 * Throws UpdateRefused where a first visit broke off: "no link" or "no room". `newer` is called with a function that brings in a new version of the page.
 */
export async function stored(newer) {
  if (!navigator.serviceWorker) return false;
  let registration;
  try {
    registration = await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
  } catch (error) {
    if (navigator.onLine && !(error instanceof TypeError)) return false; // a private window, or no https
    throw error;
  }
  watch(registration, newer);
  if (registration.active) return stillWhole(registration.active);
  await settled(registration.installing ?? registration.waiting);
  return true;
}

// A browser may throw the files away and keep the worker: it fills them in again, or says that it cannot.
function stillWhole(worker) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data.problem === null);
    setTimeout(() => resolve(false), PATIENCE);
    worker.postMessage("whole?", [port2]);
  });
}

function settled(worker) {
  return new Promise((resolve, reject) => {
    const broken = (reason) => reject(reason === "QuotaExceededError"
      ? new UpdateRefused("no room", NO_ROOM)
      : new UpdateRefused("no link", "the app could not be stored: the link broke off"));
    navigator.serviceWorker.onmessage = ({ data }) => data.failed && broken(data.failed);
    const look = () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") setTimeout(broken, 1000); // the worker's own word for it may come later
    };
    worker.addEventListener("statechange", look);
    look();
  });
}

function watch(registration, newer) {
  const offer = (worker) => newer(() => worker.postMessage("take over"));
  const hadOne = Boolean(navigator.serviceWorker.controller);
  if (registration.waiting) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing, second = Boolean(registration.active);
    worker?.addEventListener("statechange", () => second && worker.state === "installed" && offer(worker));
  });
  navigator.serviceWorker.addEventListener("controllerchange", () => hadOne && location.reload());
}
