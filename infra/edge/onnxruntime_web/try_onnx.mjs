// One graph in ONNX Runtime's web form: node try_onnx.mjs RUNTIME MODEL.onnx
//
// On standard input a list of inputs as JSON, in the graph's order ({type, dims, data}), empty to only open the graph;
// on standard output its outputs, in the same form.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , runtime, model] = process.argv;
const ort = createRequire(runtime)("onnxruntime-web/wasm");
ort.env.wasm.numThreads = 1;
const given = JSON.parse(readFileSync(0, "utf8"));
try {
  const session = await ort.InferenceSession.create(readFileSync(model), { executionProviders: ["wasm"] });
  if (given.length) {
    const feeds = Object.fromEntries(session.inputNames.map((name, at) => [name, tensor(given[at])]));
    const answer = await session.run(feeds);
    console.log(JSON.stringify(session.outputNames.map((name) => plain(answer[name]))));
  }
} catch (error) {
  console.error(String(error.message ?? error).split("\n")[0]);
  process.exit(1);
}

function tensor({ type, dims, data }) {
  return new ort.Tensor(type, type === "int64" ? data.map(BigInt) : data, dims);
}

function plain({ type, dims, data }) {
  return { type: type === "bool" ? "uint8" : type, dims, data: [...data].map(Number) };
}
