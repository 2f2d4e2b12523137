// Resizing a grey picture by Lanczos' filter, in the same whole numbers as Pillow: the same pixels as in Python.

const REACH = 3; // of the filter, in pixels of the smaller picture
const BITS = 22; // of a weight behind its point

/** The picture {pixels, width, height} as `width` × `height` pixels. */
export function resized(picture, width, height) {
  const across = weights(picture.width, width), down = weights(picture.height, height);
  const narrow = new Uint8Array(width * picture.height), pixels = new Uint8Array(width * height);
  for (let y = 0; y < picture.height; y++) {
    across.forEach(({ first, factors }, x) => {
      narrow[y * width + x] = weighted(factors, picture.pixels, y * picture.width + first, 1);
    });
  }
  down.forEach(({ first, factors }, y) => {
    for (let x = 0; x < width; x++) pixels[y * width + x] = weighted(factors, narrow, first * width + x, width);
  });
  return { pixels, width, height };
}

function weighted(factors, pixels, start, step) {
  let sum = 2 ** (BITS - 1);
  for (let i = 0; i < factors.length; i++) sum += factors[i] * pixels[start + i * step];
  return Math.min(255, Math.max(0, Math.floor(sum / 2 ** BITS)));
}

// For each new pixel the first old one that counts, and the weights of it and of those behind it.
function weights(before, after) {
  const scale = before / after, blur = Math.max(1, scale), support = REACH * blur;
  return Array.from({ length: after }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(before, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, i) => lanczos((i + first - centre + 0.5) / blur));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    const factors = raw.map((weight) => (weight / total) * 2 ** BITS);
    return { first, factors: factors.map((weight) => Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5)) };
  });
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos = (x) => (x >= -REACH && x < REACH ? sinc(x) * sinc(x / REACH) : 0);
