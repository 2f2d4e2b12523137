// A worker that tries a new model before it becomes the reader: does it load, and does it read the built-in cards?
//
// In a worker, because a bad model may hang or take all memory: the page ends the worker, and goes on. It says
// "begun" when the runtime is here: what is lost before that is no fault of the model's.

import { openReader, startRuntime } from "./reader.js";
import { selfTest } from "./self_testing.js";

self.onmessage = async ({ data: { model, cards } }) => {
  let fault = "runtime";
  try {
    await startRuntime();
    self.postMessage({ begun: true });
    fault = "model";
    await selfTest(await openReader(model), cards);
    self.postMessage({ problem: null });
  } catch (error) {
    self.postMessage({ fault, problem: String(error?.message ?? error) });
  }
};
