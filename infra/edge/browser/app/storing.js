// The app is stored on this device by its service worker; here the page waits for that and hears of new versions.

/**
 * Wait until the app is stored: true; false where it cannot be, so that the page needs a link each time.
 *
 * Throws where a first visit broke off. `newer` is called with a function that brings in a new version of the page.
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
  if (!registration.active) await settled(registration.installing ?? registration.waiting);
  return true;
}

function settled(worker) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the app could not be stored: the link broke off"));
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
