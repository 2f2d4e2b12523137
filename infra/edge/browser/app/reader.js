// The reader: an ONNX file in ONNX Runtime's web form, WebAssembly on this device's processor.
//
// The whole reader is in the file; here a picture becomes two tensors, and the numbers of the answer become text.

import * as ort from "./ort/ort.wasm.min.mjs";
import { reduced } from "./picture.js";
import { checkedSize } from "./picture_rules.js";

const END = -1n; // fills the places behind the last digit
// The smallest model that there is (y = x, one float): what fails with it is the runtime's fault.
const SMALLEST = "CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=";
ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href; // ONNX Runtime takes no relative address

/**
 * Load ONNX Runtime itself. Throws where a file of it is lost: that says nothing about any model.
 *
 * ONNX Runtime tries only once in a page or worker; after a failure the page must be loaded anew.
 */
export async function startRuntime(threads = 1) {
  ort.env.wasm.numThreads = threads;
  const model = Uint8Array.from(atob(SMALLEST), (c) => c.charCodeAt(0));
  await (await ort.InferenceSession.create(model, { executionProviders: ["wasm"] })).release();
}

/**
 * A reader for the bytes of a model: {read, close, milliseconds of the start}.
 *
 * `threads` counts at the first start in a page or worker; more than one needs cross-origin isolation.
 */
export async function openReader(model, threads = 1) {
  ort.env.wasm.numThreads = threads;
  const begin = performance.now();
  // ONNX Runtime keeps the bytes and says nothing; a copy leaves the caller's own as they are.
  const session = await ort.InferenceSession.create(model.slice(), { executionProviders: ["wasm"] });
  return { read: (picture) => read(session, picture), close: () => session.release(), milliseconds: performance.now() - begin };
}

// {digits, confidence, milliseconds} of a picture. Throws PictureError for a size that the reader does not take.
async function read(session, picture) {
  checkedSize(picture.height, picture.width);
  const { pixels, width, height } = reduced(picture), begin = performance.now();
  const { digits, confidence } = await session.run({
    pictures: new ort.Tensor("uint8", pixels, [1, height, width]),
    widths: new ort.Tensor("int64", [BigInt(width)], [1]),
  });
  return {
    digits: [...digits.data].filter((digit) => digit !== END).join(""),
    confidence: confidence.data[0],
    milliseconds: performance.now() - begin,
  };
}
