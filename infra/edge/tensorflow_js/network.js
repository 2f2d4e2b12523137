// The Student of the meter reader in TensorFlow.js: the same layers as in torch, written once more.
//
// Ink [1, 32, C, 1] -> log-probabilities [T, 11]. Tensors are NHWC here, and NCHW in torch: build.py turns the
// weights. Any width: nothing is compiled for a shape.

const { readFileSync } = require("node:fs");
const path = require("node:path");
const tf = require("@tensorflow/tfjs-core");
const { setWasmPaths, setThreadsCount } = require("@tensorflow/tfjs-backend-wasm");

const MARGIN = 9; // time steps at the right end that belong to no card
const BLOCKS = [[1, 1], [2, 2], [1, 1], [1, 1], [2, 1], [1, 1]]; // strides, down and across
// One column on each side. With the number 1 in its place TensorFlow.js takes the stride down for the stride
// across, too: the shape is wrong where they differ, and WebAssembly writes over the end of its memory.
const AROUND = [[0, 0], [1, 1], [1, 1], [0, 0]];
const SHORTCUT = [false, false, true, true, false, true];

async function start() {
  setWasmPaths(path.join(path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/"));
  setThreadsCount(1);
  await tf.setBackend("wasm");
  await tf.ready();
  return tf;
}

// The weights of build.py, by name: TensorFlow.js undoes its own quantization while it decodes them.
function load(file) {
  const groups = JSON.parse(readFileSync(file, "utf8"));
  const parts = groups.flatMap((group) => group.paths.map((name) => readFileSync(path.join(path.dirname(file), name))));
  const bytes = Buffer.concat(parts);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return tf.io.decodeWeights(buffer, groups.flatMap((group) => group.weights));
}

const conv = (x, w, name, strides, pad) => tf.add(tf.conv2d(x, w[`${name}.weight`], strides, pad), w[`${name}.bias`]);
const depthwise = (x, w, name, strides, pad) =>
  tf.add(tf.depthwiseConv2d(x, w[`${name}.weight`], strides, pad), w[`${name}.bias`]);
const dense = (x, w, name) => tf.add(tf.matMul(x, w[`${name}.weight`]), w[`${name}.bias`]);

// What a column of the picture looks like: ink -> [T, 512], the part that is kept when the rest is retrained.
function features(w, ink) {
  return tf.tidy(() => {
    let x = tf.relu(conv(ink, w, "stem", 2, AROUND));
    BLOCKS.forEach((strides, number) => {
      const h = tf.relu(depthwise(x, w, `blocks.${number}.depthwise`, strides, AROUND));
      const sum = conv(h, w, `blocks.${number}.pointwise`, 1, "valid");
      x = tf.relu(SHORTCUT[number] ? tf.add(x, sum) : sum);
    });
    const [, rows, steps, channels] = x.shape;
    return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [steps, rows * channels]);
  });
}

// Which symbol it is: [T, 512] -> log-probabilities [T, 11]. Only products and sums, which can be trained on WebAssembly.
function head(w, columns) {
  return tf.tidy(() => {
    const x = tf.relu(dense(columns, w, "collapse"));
    const padded = tf.pad(x, [[2, 2], [0, 0]]);
    let context = w["context.bias"];
    for (let shift = 0; shift < 5; shift += 1) {
      const tap = tf.slice(w["context.weight"], [shift, 0], [1, -1]);
      context = tf.add(context, tf.mul(tf.slice(padded, [shift, 0], x.shape), tap));
    }
    return tf.logSoftmax(dense(tf.relu(dense(tf.add(x, context), w, "mix")), w, "head"));
  });
}

function network(w, ink) {
  return tf.tidy(() => {
    const all = head(w, features(w, ink));
    return tf.slice(all, [0, 0], [all.shape[0] - MARGIN, all.shape[1]]);
  });
}

module.exports = { MARGIN, features, head, load, network, start };
