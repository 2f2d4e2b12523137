// What a picture may be, and how colour becomes grey: the same limits and the same formula as in Python.

export const MOST_PIXELS = 16e6;
const LEAST_SIDE = 8, LONGEST_SIDE = 8192;
const MOST_ASPECT = 40; // a wider line of digits would take gigabytes
const MOST_UPRIGHT = 2; // a taller picture is a card on its side, which would be misread

/** The bytes are no picture that the reader can take; the message says why. */
export class PictureError extends Error {}

/** Throw PictureError for a size that the reader does not take. */
export function checkedSize(height, width) {
  const size = `the picture is ${width} × ${height} pixels`;
  if (Math.min(height, width) < LEAST_SIDE) throw new PictureError(`${size}, smaller than ${LEAST_SIDE} on a side`);
  if (Math.max(height, width) > LONGEST_SIDE || height * width > MOST_PIXELS) {
    throw new PictureError(`${size}, too many: crop it to the card, or save it smaller`);
  }
  if (height > MOST_UPRIGHT * width) {
    throw new PictureError(`${size}, taller than wide: turn it, or crop it to the digits`);
  }
  if (width > MOST_ASPECT * height) {
    throw new PictureError(`${size}, wider than ${MOST_ASPECT} times its height: crop it to the digits`);
  }
}

/** Grey of a colour, 0 to 255: Pillow's weights, in the same whole numbers. */
export const grey = (red, green, blue) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

/** The grey picture of opaque RGBA pixels, as a canvas gives them. */
export function greyOf({ data, width, height }) {
  const pixels = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < pixels.length; i++, at += 4) pixels[i] = grey(data[at], data[at + 1], data[at + 2]);
  return { pixels, width, height };
}
