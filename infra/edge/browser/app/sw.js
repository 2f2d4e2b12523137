// The service worker: after the first visit the app comes from this device, with or without a link.
//
// One cache for each version of the app, with a hash for each file. It is filled before the old one goes: a link
// that breaks in between leaves what was there. The model has caches of its own (shelf.js).

const SHELL = {}; /* the server writes here: {digest, files: {"path": "sha256-…"}} */
const CACHE = `app-${SHELL.digest}`;

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", ({ data }) => data === "take over" && self.skipWaiting());

async function fill() {
  try {
    const cache = await caches.open(CACHE);
    for (const [path, integrity] of Object.entries(SHELL.files)) {
      const request = new Request(new URL(path, self.registration.scope), { integrity, cache: "no-cache" });
      await cache.put(request.url, await whole(request));
    }
  } catch (error) {
    await caches.delete(CACHE);
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
