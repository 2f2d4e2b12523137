// A worker that tries a new model before it becomes the reader: does it load, and does it read the built-in cards?
//
// In a worker, because a bad model may hang or take all memory: the page ends the worker, and goes on.

import { openReader } from "./reader.js";
import { selfTest } from "./self_testing.js";

self.onmessage = async ({ data: { model, cards } }) => {
  try {
    await selfTest(await openReader(model), cards);
    self.postMessage({ problem: null });
  } catch (error) {
    self.postMessage({ problem: String(error?.message ?? error) });
  }
};
