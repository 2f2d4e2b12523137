// Read cards with ONNX Runtime's web form in Node.js: node read.mjs RUNTIME MODEL.onnx [THREADS]
//
// On standard input for each card two int32, height and width, and its pixels; on standard output the confidence as
// float32, the number of digits as int32, and the digits, a byte each.

import { readFileSync, readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const [, , runtime, model, threads] = process.argv;
const ort = createRequire(runtime)("onnxruntime-web/wasm");
ort.env.wasm.numThreads = Number(threads ?? 1);
const session = await ort.InferenceSession.create(readFileSync(model), { executionProviders: ["wasm"] });

function take(count) {
  const bytes = Buffer.alloc(count);
  for (let filled = 0; filled < count; ) {
    const more = readSync(0, bytes, filled, count - filled);
    if (more === 0) process.exit(0);
    filled += more;
  }
  return bytes;
}

for (;;) {
  const head = take(8), height = head.readInt32LE(0), width = head.readInt32LE(4);
  const { digits, confidence } = await session.run({
    pictures: new ort.Tensor("uint8", take(height * width), [1, height, width]),
    widths: new ort.Tensor("int64", [BigInt(width)], [1]),
  });
  const read = [...digits.data].filter((digit) => digit >= 0n).map(Number), out = Buffer.alloc(8 + read.length);
  out.writeFloatLE(confidence.data[0], 0);
  out.writeInt32LE(read.length, 4);
  out.set(read, 8);
  writeSync(1, out);
}
