// What is kept on this device: a cache for each release, and one small state that says which of them reads.
//
// A release's cache is filled before the state names it, and the state is replaced whole: a tab that is closed or a
// battery that dies at any moment leaves the old release or the new one.

import { UpdateRefused } from "./release.js";

export const NO_ROOM = "this device has no room left for what would be stored";
const STATE = "state", AT = "/state.json";
const EMPTY = { active: null, previous: null, untried: null, highest: null, refused: {} };
const cacheOf = (version) => `release-${version}`;

/**
 * {active, previous, untried: versions or null, highest: the newest release ever verified, refused: reasons by model's
 * hash}. `untried`: the first release, until it has read the built-in cards.
 */
export async function readState() {
  const response = await (await caches.open(STATE)).match(AT);
  return response ? { ...EMPTY, ...(await response.json()) } : structuredClone(EMPTY);
}

export async function writeState(state) {
  await withRoom(async () => (await caches.open(STATE)).put(AT, new Response(JSON.stringify(state))));
}

/** Keep a release's parts, bytes by name: all of them or none. */
export async function keep(version, parts) {
  try {
    await withRoom(async () => {
      const cache = await caches.open(cacheOf(version));
      for (const [name, bytes] of Object.entries(parts)) await cache.put(`/${name}`, new Response(bytes));
    });
  } catch (error) {
    await caches.delete(cacheOf(version));
    throw error;
  }
}

// A full device is no fault of the link or of the release: it has a word of its own.
async function withRoom(work) {
  try {
    return await work();
  } catch (error) {
    if (error.name !== "QuotaExceededError") throw error;
    throw new UpdateRefused("no room", NO_ROOM);
  }
}

/** The bytes of a part; null where the browser no longer has it. */
export async function part(version, name) {
  if (!(await caches.has(cacheOf(version)))) return null;
  const response = await (await caches.open(cacheOf(version))).match(`/${name}`);
  return response ? new Uint8Array(await response.arrayBuffer()) : null;
}

/** Throw away every release but these versions. */
export async function keepOnly(...versions) {
  const kept = new Set(versions.filter((version) => version !== null).map(cacheOf));
  for (const name of await caches.keys()) {
    if (name.startsWith("release-") && !kept.has(name)) await caches.delete(name);
  }
}
