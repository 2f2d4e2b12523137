// A picture as the reader wants it: {pixels: Uint8Array, width, height}, 0 black and 255 white, row after row.
//
// The same rules as fsdl_deploy/picture.py: a PNG gives the same bytes here as there. The other formats are
// decoded by the browser, whose JPEG decoder may round a colour otherwise than Python's: by a grey level or two.

import { decodePng, isPng } from "./png.js";
import { turned, unturnedWebp } from "./turning.js";
import { checkedSize, greyOf, MOST_PIXELS, PictureError } from "./picture_rules.js";

const MOST_BYTES = 32 * 2 ** 20; // Python's service takes 8 MiB; a photograph need not leave this device
const ENOUGH = 256; // rows: a picture of twice as many is averaged down to these

/** Decode a file (PNG, JPEG, WebP, GIF, BMP …). Throws PictureError with a sentence that says what is wrong. */
export async function decode(file) {
  if (file.size === 0) throw new PictureError("the picture has 0 bytes");
  if (file.size > MOST_BYTES) {
    throw new PictureError("the picture is too large a file: crop it to the card, or save it smaller");
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (isPng(bytes)) return decodePng(bytes);
  const webp = unturnedWebp(bytes);
  return turned(await decodedByBrowser(new Blob([webp.bytes], { type: file.type }), webp.turn), webp.turn);
}

// The picture as the browser gives it; its size is checked as that of what is `turn`ed afterwards.
async function decodedByBrowser(file, turn) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", imageOrientation: "from-image" });
  } catch {
    throw new PictureError("the file is no picture that this browser can decode: save it as PNG or JPEG");
  }
  try {
    // A canvas has a limit too, so what has more pixels than Python takes is drawn smaller.
    const factor = Math.ceil(Math.sqrt((bitmap.width * bitmap.height) / MOST_PIXELS));
    const width = Math.floor(bitmap.width / factor), height = Math.floor(bitmap.height / factor);
    checkedSize(...(turn >= 5 ? [width, height] : [height, width]));
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    pen.fillStyle = "#fff"; // what is transparent is paper
    pen.fillRect(0, 0, width, height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(bitmap, 0, 0, width, height);
    return greyOf(pen.getImageData(0, 0, width, height));
  } finally {
    bitmap.close();
  }
}

/** The picture with each square of so many pixels averaged that 256 to 512 rows are left; a small one as it is. */
export function reduced({ pixels, width, height }) {
  const factor = Math.floor(height / ENOUGH);
  if (factor <= 1) return { pixels, width, height };
  const columns = Math.ceil(width / factor), rows = Math.ceil(height / factor);
  const out = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const bottom = Math.min(height, (row + 1) * factor);
    for (let column = 0; column < columns; column++) {
      const right = Math.min(width, (column + 1) * factor);
      let sum = 0;
      for (let y = row * factor; y < bottom; y++) {
        for (let x = column * factor; x < right; x++) sum += pixels[y * width + x];
      }
      const count = (bottom - row * factor) * (right - column * factor);
      out[row * columns + column] = Math.floor((sum + Math.floor(count / 2)) / count);
    }
  }
  return { pixels: out, width: columns, height: rows };
}

/** The picture as a PNG file, for a service; every pixel stays what it is. */
export async function encode({ pixels, width, height }) {
  const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  for (let i = 0; i < pixels.length; i++) {
    image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = pixels[i];
    image.data[4 * i + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
}
