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
import { keptRelease, rollBack, update } from "./updates.js";
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

// Open the reader of a release. One that does not load is taken back, and the release before it reads.
async function use(next) {
  const { openReader } = await import("./reader.js"); // ONNX Runtime with it
  for (let kept = next; kept; kept = await keptRelease(config.key)) {
    try {
      const reader = await openReader(kept.model), former = current;
      if (kept.untried) await selfTest(reader, builtIn);
      current = { release: kept.release, settings: kept.settings, reader };
      view.release(current);
      await former?.reader.close();
      return;
    } catch (error) {
      await rollBack(kept.release.files.model.sha256, error.message);
      view.news(`Release ${kept.release.version} does not load here, and is taken back: ${error.message}`, true);
      if (!(await keptRelease(config.key))) throw error;
    }
  }
}

/** Look for a newer model: "updated", "newest", or the reason why one was refused. */
async function look() {
  view.looking(true);
  try {
    const next = await update(config.key, builtIn);
    if (next) await use(next);
    view.news(next ? `Release ${next.release.version} is here and reads now.` : "This is the newest release.");
    return next ? "updated" : "newest";
  } catch (error) {
    if (!(error instanceof UpdateRefused)) throw error;
    view.refused(error, current?.release);
    return error.reason;
  } finally {
    view.looking(false);
  }
}

async function start() {
  view.starting();
  const offline = await stored(view.newerPage);
  [config, builtIn] = await Promise.all(["config.json", "self_test.json"].map(async (name) => (await fetch(name)).json()));
  view.service(config.service);
  const kept = await keptRelease(config.key);
  if (kept) await use(kept);
  const outcome = kept ? null : await look();
  if (!current) throw new UpdateRefused(outcome, "no model could be had");
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
