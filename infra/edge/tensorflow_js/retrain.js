// Retrains the upper half of the network where it runs: node retrain.js WEIGHTS.json OUT.json EPOCHS
//
// On standard input cards as read.js takes them, in pairs: the ink as the network knows it, then the same card as
// it looks now. What the network says of the first is what it should learn to say of the second; nobody writes
// labels. The convolutions stay as they are, so their answers are computed once.

const { writeFileSync } = require("node:fs");
const path = require("node:path");
require("@tensorflow/tfjs-layers"); // has the gradients of all operations
const { MARGIN, features, head, load, network, start } = require("./network.js");
const { takeInk } = require("./read.js");

const TRAINED = ["collapse", "context", "mix", "head"].flatMap((name) => [`${name}.weight`, `${name}.bias`]);
const BATCH = 8;

function pairs(tf, weights) {
  const examples = [];
  for (let known = takeInk(tf); known; known = takeInk(tf)) {
    const changed = takeInk(tf);
    examples.push({ columns: features(weights, changed), target: tf.tidy(() => tf.exp(network(weights, known))) });
    tf.dispose([known, changed]);
  }
  return examples;
}

// --- retraining: shown in the notebook ---
function train(tf, weights, examples, epochs) {
  for (const name of TRAINED) weights[name] = tf.variable(weights[name]);
  const optimizer = tf.train.adam(0.003);
  const wrongness = ({ columns, target }) => {
    const said = tf.slice(head(weights, columns), [0, 0], target.shape);
    return tf.neg(tf.mean(tf.sum(tf.mul(target, said), 1)));
  };
  for (let step = 0; step < (epochs * examples.length) / BATCH; step += 1) {
    const batch = Array.from({ length: BATCH }, (_, n) => examples[(step * BATCH + n) % examples.length]);
    const loss = optimizer.minimize(() => tf.div(tf.addN(batch.map(wrongness)), BATCH), true);
    if (step % 20 === 0) console.error(`step ${step}: ${loss.dataSync()[0].toFixed(3)}`);
  }
}
// --- end ---

async function save(tf, weights, file) {
  const { data, specs } = await tf.io.encodeWeights(weights);
  const bytes = path.basename(file).replace(/\.json$/, ".bin");
  writeFileSync(path.join(path.dirname(file), bytes), Buffer.from(data));
  writeFileSync(file, JSON.stringify([{ paths: [bytes], weights: specs }]));
}

async function main(file, out, epochs) {
  const tf = await start();
  const weights = load(file);
  const examples = pairs(tf, weights);
  if (!examples.length) throw new Error("standard input has no pair of cards to learn from");
  train(tf, weights, examples, Number(epochs));
  await save(tf, weights, out);
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
