// The page: what is written or brought becomes a picture, the picture a reading, and the reading what is shown.
//
// Puts the parts together and knows the page; the rules are in the other modules. `app` is what tests drive.

import { cardFromSketch } from "./card.js";
import { decided } from "./deciding.js";
import { sheet } from "./pad.js";
import { decode } from "./picture.js";
import { PictureError } from "./picture_rules.js";
import { UpdateRefused } from "./release.js";
import { selfTest } from "./self_testing.js";
import { stored } from "./storing.js";
import { keptRelease, passed, rollBack, update } from "./updates.js";
import * as view from "./view.js";

const LOOK_EVERY = 3_600_000; // milliseconds between looks for a newer model
let config, builtIn, current; // current: {release, settings, reader}

const pad = sheet(view.element("pad"), () => view.canClear(!pad.empty));

/** Read a picture {pixels, width, height} and show it; the answer of deciding.js. */
async function readPicture(picture) {
  view.picture(picture);
  const service = view.mayAsk() ? config.service : null;
  const answer = await decided(picture, current.reader, current.settings, service);
  view.reading(answer);
  view.budget(current, answer.milliseconds, await usage());
  return answer;
}

async function guarded(picture) {
  view.busy(true);
  try {
    return await readPicture(await picture());
  } catch (error) {
    if (!(error instanceof PictureError)) console.error(error);
    view.problem(error instanceof PictureError ? error.message : `The picture could not be read: ${error.message}`);
  } finally {
    view.busy(false);
  }
}

const usage = async () => (await navigator.storage?.estimate?.())?.usage ?? null;

// ONNX Runtime, before any model: a lost file of it is no fault of a model's. Throws UpdateRefused "no runtime".
async function runtime() {
  try {
    const reader = await import("./reader.js");
    if (!current) await reader.startRuntime();
    return reader;
  } catch (error) {
    throw new UpdateRefused("no runtime", `the program that runs the model did not arrive: ${error.message}`);
  }
}

// Open the reader of a release. One that does not load is taken back, and the release before it reads.
async function use(next) {
  const { openReader } = await runtime(), former = current;
  for (let kept = next; kept; kept = await keptRelease(config.key)) {
    try {
      const reader = await openReader(kept.model);
      if (kept.untried) await selfTest(reader, builtIn);
      current = { release: kept.release, settings: kept.settings, reader };
    } catch (error) {
      await rollBack(kept.release.files.model.sha256, error.message);
      view.news(`Release ${kept.release.version} does not load here, and is taken back: ${error.message}`, true);
      if (!(await keptRelease(config.key))) throw error;
      continue;
    }
    view.release(current);
    if (kept.untried) await passed();
    return former?.reader.close();
  }
}

// Take what is newer than what reads here, and return it; null where there is nothing.
async function taken() {
  const next = await update(config.key, builtIn);
  if (next) await use(next);
  return next;
}

/** Look for a newer model: "updated", "newest", or the reason why one was refused. */
async function look() {
  view.looking(true);
  try {
    const next = await taken();
    view.news(next ? `Release ${next.release.version} is here and reads now.` : "This is the newest release.");
    return next ? "updated" : "newest";
  } catch (error) {
    if (!(error instanceof UpdateRefused)) console.error(error);
    view.refused(error, current?.release);
    return error.reason ?? "failed";
  } finally {
    view.looking(false);
  }
}

// Open what is kept on this device; else the first release, or what another tab has stored meanwhile.
async function firstReader() {
  await runtime();
  const kept = await keptRelease(config.key);
  if (kept) return use(kept);
  let refusal = new UpdateRefused("no model", "no model could be had");
  try {
    await taken();
  } catch (error) {
    view.refused((refusal = error), null);
  }
  const late = current ? null : await keptRelease(config.key);
  if (late) await use(late);
  if (!current) throw refusal;
}

async function start() {
  view.starting();
  // Without a secure context a browser gives a page neither storage nor signatures.
  if (!isSecureContext) throw new UpdateRefused("no https", "browsers keep a model on a device only for an address with https, or on the machine that serves it");
  const offline = await stored(view.newerPage);
  [config, builtIn] = await Promise.all(["config.json", "self_test.json"].map(async (name) => (await fetch(name)).json()));
  view.service(config.service);
  const kept = await keptRelease(config.key);
  await firstReader();
  await navigator.storage?.persist?.();
  view.ready(offline);
  view.budget(current, null, await usage());
  if (kept) look();
}

async function started() {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      console.warn(error);
      await view.again(error);
      if (error.reason === "no runtime") location.reload(); // it is loaded once in the life of a page
    }
  }
}

view.element("read").onclick = () => guarded(() => cardFromSketch(pad.picture()));
view.element("clear").onclick = () => pad.clear();
view.element("undo").onclick = () => pad.undo();
view.element("update").onclick = look;
for (const name of ["file", "camera"]) {
  view.element(name).onchange = async ({ target }) => {
    const [file] = target.files;
    if (file) await guarded(() => decode(file));
    target.value = ""; // the same file may be chosen again
  };
}
view.element("check").onsubmit = (event) => {
  event.preventDefault();
  view.typed();
};

export const ready = started();
export const app = { readPicture, look, pad, now: () => current };
ready.then(() => {
  setInterval(look, LOOK_EVERY);
  addEventListener("online", look);
});
