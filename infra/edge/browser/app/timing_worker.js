// A worker that measures a reader with a number of threads; a page counts its threads once, so each has a worker.

import { openReader } from "./reader.js";

self.onmessage = async ({ data: { model, threads, pictures, rounds } }) => {
  try {
    const reader = await openReader(model, threads);
    const cards = pictures.map((card) => ({ ...card, pixels: Uint8Array.from(atob(card.pixels), (c) => c.charCodeAt(0)) }));
    const milliseconds = cards.map(() => Infinity);
    for (let round = 0; round <= rounds; round++) {
      for (const [place, card] of cards.entries()) {
        const reading = await reader.read(card);
        if (round > 0) milliseconds[place] = Math.min(milliseconds[place], reading.milliseconds); // the first warms up
      }
    }
    self.postMessage({ start: reader.milliseconds, milliseconds });
  } catch (error) {
    self.postMessage({ problem: String(error?.message ?? error) });
  }
};
