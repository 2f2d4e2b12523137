// Updates: look for a newer release, try it, and only then let it read; whatever goes wrong, the old one reads on.

import { download } from "./download.js";
import { checkFile, MOST_MANIFEST, parsedSettings, UpdateRefused, verified } from "./release.js";
import { keep, keepOnly, part, readState, writeState } from "./shelf.js";

const RELEASES = new URL("./releases/", import.meta.url);
const PATIENCE = 60_000; // milliseconds for a file
const START = 60, TRIAL = 30; // seconds: for the runtime to start, for the trial of a model

/**
 * The release that reads here, from what is kept: {release, model, settings, untried}; null where nothing usable is
 * kept.
 *
 * Its signature, length and hash are checked again. What the browser lost or spoiled is passed over for the release
 * before it. Expiry does not count here: a device without a link goes on reading.
 */
export async function keptRelease(key) {
  const state = await readState();
  for (const version of [state.active, state.previous]) {
    if (version === null) continue;
    try {
      const [manifest, model, settings] = await Promise.all(["manifest", "model", "settings"].map((name) => part(version, name)));
      const release = await verified(manifest ?? new Uint8Array(), key, null, 0);
      await checkFile("model", model ?? new Uint8Array(), release.files.model);
      await checkFile("settings", settings ?? new Uint8Array(), release.files.settings);
      return { release, model, settings: parsedSettings(settings), untried: state.untried === version };
    } catch {
      // the browser threw a part away, or changed it
    }
  }
  return null;
}

/**
 * Look for a newer release and take it: {release, model, settings, untried}, or null where there is none.
 *
 * Throws UpdateRefused; then what is kept is what was kept before. Tabs of one browser take turns.
 */
export function update(key, cards) {
  return navigator.locks.request("update", () => updateNow(key, cards));
}

async function updateNow(key, cards) {
  const state = await readState();
  const manifest = await download(new URL("current.json", RELEASES), MOST_MANIFEST, PATIENCE);
  const release = await verified(manifest, key, state.highest, Date.now());
  // From here on no older release is taken, even if this one turns out to be bad.
  state.highest = { version: release.version, digest: release.digest, published: notAhead(release.published) };
  await writeState(state);
  const hash = release.files.model.sha256;
  if (state.refused[hash]) throw new UpdateRefused("bad model", `release ${release.version} has a model that failed here: ${state.refused[hash]}`);
  const kept = await keptRelease(key);
  if (kept?.release.version === release.version) return null;
  const parts = { manifest, ...(await filesOf(release, kept)) };
  const settings = parsedSettings(parts.settings);
  // The first model has none before it that could go on reading: the page itself tries it.
  if (kept && kept.release.files.model.sha256 !== hash) await tried(parts.model, cards, state, hash, release.version);
  await keep(release.version, parts);
  const untried = kept ? null : release.version;
  await writeState({ ...state, active: release.version, previous: kept?.release.version ?? null, untried });
  await keepOnly(release.version, kept?.release.version ?? null);
  return { release, model: parts.model, settings, untried: !kept };
}

// A publisher's clock may be ahead: if its date were believed, this device would find every later release expired.
const notAhead = (moment) => new Date(Math.min(Date.parse(moment), Date.now())).toISOString();

// The bytes of a release's files; what is here already is not asked for again.
async function filesOf(release, kept) {
  const parts = {};
  for (const [name, file] of Object.entries(release.files)) {
    const here = kept?.release.files[name]?.sha256 === file.sha256 ? await part(kept.release.version, name) : null;
    parts[name] = here ?? (await download(new URL(file.path, RELEASES), file.bytes, PATIENCE));
    await checkFile(name, parts[name], file, kept?.release);
  }
  return parts;
}

async function tried(model, cards, state, hash, version) {
  const worker = new Worker(new URL("./trial.js", import.meta.url), { type: "module" });
  const { promise, resolve } = Promise.withResolvers();
  let begun = false, seconds = 0;
  worker.onmessage = ({ data }) => (data.begun ? ([begun, seconds] = [true, 0]) : resolve(data));
  // Only what a model does counts against it: that a worker does not start may be a lost file.
  worker.onerror = () => resolve({ fault: "runtime", problem: "its worker does not start" });
  // Seconds are counted one by one: a device that sleeps in the middle of a trial counts none.
  const clock = setInterval(() => {
    if (++seconds < (begun ? TRIAL : START)) return;
    resolve({ fault: begun ? "model" : "runtime", problem: `it was not done after ${seconds} s` });
  }, 1000);
  worker.postMessage({ model, cards });
  const { fault, problem } = await promise;
  clearInterval(clock);
  worker.terminate();
  if (!problem) return;
  if (fault === "runtime") throw new UpdateRefused("no trial", `the new model could not be tried, and will be next time: ${problem}`);
  await writeState({ ...state, refused: { [hash]: problem } });
  throw new UpdateRefused("bad model", `release ${version} was tried and taken back: ${problem}`);
}

/** The first model, which no other could try for it, has read the built-in cards. */
export async function passed() {
  await writeState({ ...(await readState()), untried: null });
}

/** A model that was taken and does not load after all: back to the release before it, or to none. */
export async function rollBack(hash, problem) {
  const state = await readState();
  await writeState({ ...state, active: state.previous, previous: null, untried: null, refused: { ...state.refused, [hash]: problem } });
}
