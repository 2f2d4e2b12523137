// Read pictures with an ONNX file: node read.js MODEL.onnx < pictures.json
//
// On standard input a JSON list of {"width", "height", "pixels"}: grey pixels, row after row, one byte each, in
// base64. On standard output a JSON list of {"digits", "confidence"}. The whole reader is in the file; here
// a picture becomes a tensor, and the numbers of the answer become text.

const { readFileSync } = require("node:fs");
const ort = require("onnxruntime-web/wasm");

const END = -1n; // fills the places behind the last digit

function tensorsOf({ width, height, pixels }, place) {
  const bytes = Buffer.from(String(pixels), "base64");
  if (!(width > 0 && height > 0 && bytes.length === width * height)) {
    throw new Error(`picture ${place}: ${bytes.length} pixels do not fill ${width} x ${height}`);
  }
  return {
    pictures: new ort.Tensor("uint8", bytes, [1, height, width]),
    widths: new ort.Tensor("int64", [BigInt(width)], [1]),
  };
}

async function main(file) {
  const pictures = JSON.parse(readFileSync(0, "utf8"));
  if (!Array.isArray(pictures)) throw new Error("standard input must hold a JSON list of pictures");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(file));
  const readings = [];
  for (const feeds of pictures.map(tensorsOf)) {
    const { digits, confidence } = await session.run(feeds);
    readings.push({
      digits: Array.from(digits.data).filter((digit) => digit !== END).join(""),
      confidence: confidence.data[0],
    });
  }
  console.log(JSON.stringify(readings));
}

main(process.argv[2]).catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
