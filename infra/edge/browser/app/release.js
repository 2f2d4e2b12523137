// A release of the model, as a signed manifest says it: who signed it, until when it counts, which files it has.
//
// Knows the rules that an update must keep, and nothing of caches or pages. `verified` decides, in this order:
// is it whole, did the pinned key sign it, is it for this app, is it no older than what was seen, is it in time.

export const MOST_MANIFEST = 16 * 1024; // bytes
const MOST_FILE = 16 * 1024 * 1024; // bytes: no signed length above this is believed
const KIND = "meter-reader release", FORMAT = 1;
const PATH = /^files\/[0-9a-f]{64}$/;

/** An update that this device does not take; `reason` is one word for the rule, the message says more. */
export class UpdateRefused extends Error {
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The release that the bytes of a manifest announce: {version, model, published, expires, files, digest}.
 *
 * `key`: the pinned Ed25519 key, raw, in base64. `highest`: {version, digest, published} of the newest release ever seen
 * here, or null. `now`: milliseconds since 1970; never believed to be before that release was published.
 * Throws UpdateRefused: "malformed", "wrong key", "incompatible", "rollback", "mixed" or "freeze".
 */
export async function verified(bytes, key, highest, now) {
  const { payload, signature } = envelope(bytes);
  await checkSignature(payload, signature, key);
  const release = parsed(payload);
  release.digest = await sha256(payload);
  if (highest && release.version < highest.version) {
    throw new UpdateRefused("rollback", `release ${release.version} is older than ${highest.version}, which was here before`);
  }
  if (highest && release.version === highest.version && release.digest !== highest.digest) {
    throw new UpdateRefused("mixed", `there are two different releases ${release.version}`);
  }
  const clock = Math.max(now, Date.parse(highest?.published ?? 0));
  if (Date.parse(release.expires) <= clock) {
    throw new UpdateRefused("freeze", `release ${release.version} counted until ${release.expires}: somebody may be holding back newer ones`);
  }
  return release;
}

function envelope(bytes) {
  try {
    const { payload, signature } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return { payload: fromBase64(payload), signature: fromBase64(signature) };
  } catch {
    throw new UpdateRefused("malformed", "the manifest is cut off, or is no manifest");
  }
}

async function checkSignature(payload, signature, key) {
  let genuine = false;
  try {
    const pinned = await crypto.subtle.importKey("raw", fromBase64(key), "Ed25519", false, ["verify"]);
    genuine = await crypto.subtle.verify("Ed25519", pinned, signature, payload);
  } catch (error) {
    throw new UpdateRefused("wrong key", `this browser cannot check the signature: ${error.message}`);
  }
  if (!genuine) throw new UpdateRefused("wrong key", "the manifest is not signed with the key that this app trusts");
}

function parsed(payload) {
  let release;
  try {
    release = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    throw new UpdateRefused("malformed", "what was signed is no manifest");
  }
  if (release?.kind !== KIND || release.format !== FORMAT) {
    throw new UpdateRefused("incompatible", "the release is for another version of this app: reload the page");
  }
  if (!wellFormed(release)) throw new UpdateRefused("malformed", "the manifest lacks what an update needs");
  return release;
}

function wellFormed(release) {
  const files = Object.values(release.files ?? {}), moments = [release.published, release.expires];
  return Number.isSafeInteger(release.version) && release.version > 0 && moments.every((text) => Date.parse(text) > 0) &&
    ["model", "settings"].every((name) => release.files?.[name]) &&
    files.every((file) => Number.isSafeInteger(file?.bytes) && file.bytes > 0 && file.bytes <= MOST_FILE &&
      PATH.test(file.path) && file.path === `files/${file.sha256}`);
}

/**
 * Throw UpdateRefused ("truncated", "endless", "mixed" or "tampered") unless these are the bytes that the manifest names.
 *
 * `before`: the release that is here, whose files somebody may have put among those of the new one.
 */
export async function checkFile(name, bytes, file, before = null) {
  if (bytes.length < file.bytes) throw new UpdateRefused("truncated", `the ${name} has ${bytes.length} of ${file.bytes} bytes`);
  if (bytes.length > file.bytes) throw new UpdateRefused("endless", `the ${name} has more than ${file.bytes} bytes`);
  const hash = await sha256(bytes);
  if (hash === file.sha256) return;
  if (before && Object.values(before.files).some((other) => other.sha256 === hash)) {
    throw new UpdateRefused("mixed", `the ${name} is that of release ${before.version}`);
  }
  throw new UpdateRefused("tampered", `the ${name} is not the one that was signed`);
}

/** The settings of a release, from the bytes of its file. Throws UpdateRefused where one is missing. */
export function parsedSettings(bytes) {
  try {
    const settings = JSON.parse(new TextDecoder().decode(bytes));
    const { threshold, deadline_ms: deadline, budget } = settings;
    const above = [deadline, budget.model_bytes, budget.reading_ms, budget.storage_bytes];
    const numbers = [threshold, ...above].every((value) => typeof value === "number"); // "50" > 0 is true, too
    if (numbers && threshold >= 0 && threshold <= 1 && above.every((value) => value > 0)) return settings;
  } catch {
    // said below
  }
  throw new UpdateRefused("malformed", "the settings of the release lack what the app needs");
}

export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
