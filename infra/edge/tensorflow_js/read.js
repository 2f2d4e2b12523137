// Reads ink from standard input until it ends: node read.js WEIGHTS.json
//
// A card is its number of columns as int32, then 32 times as many float32; the answer is the number of time
// steps, then 11 log-probabilities for each.

const { readSync, writeSync } = require("node:fs");
const { load, network, start } = require("./network.js");

const HEIGHT = 32;

function take(count) {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count; ) {
    const more = readSync(0, bytes, at, count - at, null);
    if (more === 0) return null;
    at += more;
  }
  return bytes;
}

function give(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

// The next card's ink [1, 32, C, 1]; null where the input ends.
function takeInk(tf) {
  const header = take(4);
  if (!header) return null;
  const columns = header.readInt32LE(0);
  const bytes = take(4 * HEIGHT * columns);
  return tf.tensor4d(new Float32Array(bytes.buffer, bytes.byteOffset, HEIGHT * columns), [1, HEIGHT, columns, 1]);
}

async function main(file) {
  const tf = await start();
  const weights = load(file);
  for (let ink = takeInk(tf); ink; ink = takeInk(tf)) {
    const answer = network(weights, ink);
    const values = answer.dataSync();
    const steps = Buffer.alloc(4);
    steps.writeInt32LE(answer.shape[0]);
    give(Buffer.concat([steps, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]));
    tf.dispose([ink, answer]);
  }
}

module.exports = { takeInk };

if (require.main === module) {
  main(process.argv[2]).catch((error) => {
    console.error(error.message ?? error);
    process.exitCode = 1;
  });
}
