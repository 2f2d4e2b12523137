// A worker that tries a new model before it becomes the reader: does it load, and does it read the built-in cards?
//
// In a worker, because a bad model may hang or take all memory: the page ends the worker, and goes on.

import { openReader } from "./reader.js";
import { decodePng } from "./png.js";

self.onmessage = async ({ data: { model, cards, atLeast } }) => {
  try {
    const reader = await openReader(model);
    let right = 0;
    for (const { png, digits } of cards) {
      const reading = await reader.read(await decodePng(Uint8Array.from(atob(png), (c) => c.charCodeAt(0))));
      if (!(reading.confidence >= 0 && reading.confidence <= 1)) throw new Error("its confidence is no probability");
      right += reading.digits === digits;
    }
    if (right < atLeast) throw new Error(`it reads ${right} of ${cards.length} built-in cards, fewer than ${atLeast}`);
    self.postMessage({ right });
  } catch (error) {
    self.postMessage({ problem: String(error?.message ?? error) });
  }
};
