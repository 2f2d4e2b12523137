// The self-test of a model: does it read the cards that are built into the app?

import { decodePng } from "./png.js";

/** Throw an Error that says how many of the built-in cards a reader reads, if they are too few. */
export async function selfTest(reader, { cards, at_least: atLeast }) {
  let right = 0;
  for (const { png, digits } of cards) {
    const reading = await reader.read(await decodePng(Uint8Array.from(atob(png), (c) => c.charCodeAt(0))));
    if (!(reading.confidence >= 0 && reading.confidence <= 1)) throw new Error("its confidence is no probability");
    right += reading.digits === digits;
  }
  if (right < atLeast) throw new Error(`it reads ${right} of ${cards.length} built-in cards, fewer than ${atLeast}`);
}
