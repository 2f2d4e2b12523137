// The service worker: after the first visit the app comes from this device, with or without a link.
//
// One cache for each version of the app, with a hash for each file. It is filled before the old one goes: a link
// that breaks in between leaves what was there. What the browser has thrown away meanwhile is filled in again when
// the page asks. The model has caches of its own (shelf.js).

const SHELL = {}; /* the server writes here: {digest, files: {"path": "sha256-…"}} */
const CACHE = `app-${SHELL.digest}`;

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
  if (event.data === "whole?") event.waitUntil(fill().then(() => null, String).then((problem) => event.ports[0].postMessage({ problem })));
});

async function fill() {
  // The same version may be here already, and active: then it is not this function's to throw away.
  const before = await caches.has(CACHE);
  try {
    const cache = await caches.open(CACHE), here = new Set((await cache.keys()).map(({ url }) => url));
    for (const [path, integrity] of Object.entries(SHELL.files)) {
      if (here.has(new URL(path, self.registration.scope).href)) continue;
      const request = new Request(new URL(path, self.registration.scope), { integrity, cache: "no-cache" });
      await cache.put(request.url, await whole(request));
    }
  } catch (error) {
    if (!before) await caches.delete(CACHE);
    for (const page of await self.clients.matchAll({ includeUncontrolled: true })) page.postMessage({ failed: error.name });
    throw error;
  }
}

async function whole(request) {
  const response = await fetch(request);
  if (!response.ok) throw new Error(`${request.url}: ${response.status}`);
  return response;
}

async function takeOver() {
  for (const name of await caches.keys()) if (name.startsWith("app-") && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url), path = url.href.slice(self.registration.scope.length).split(/[?#]/)[0];
  if (event.request.method !== "GET" || !url.href.startsWith(self.registration.scope) || !((path || "./") in SHELL.files)) return;
  event.respondWith(kept(new URL(path, self.registration.scope).href, event.request));
});

async function kept(address, request) {
  return (await (await caches.open(CACHE)).match(address)) ?? fetch(request);
}
