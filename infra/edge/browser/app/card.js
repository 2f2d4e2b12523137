// A drawing as a picture of a card: the same as fsdl_deploy/prototype/sketch.py, step by step.
//
// The ink is cropped, scaled to the height of digits on a card, and redrawn with a pen of the usual width.

import { PictureError } from "./picture_rules.js";
import { resized } from "./resize.js";

const CARD_HEIGHT = 64, INK_HEIGHT = 34; // pixels: a written card, and the digits on it
const PEN_SHARE = 0.11; // a pen's width as a share of the digits' height
const LEAST_INK = 12; // pixels
const PAPER = 0.65 * 255; // what is darker is ink

/** What was drawn, {pixels, width, height} of any size, as a card 64 pixels high. Throws PictureError if empty. */
export function cardFromSketch({ pixels, width, height }) {
  const box = inkBox(pixels, width);
  if (box.count < LEAST_INK) throw new PictureError("the sheet is empty: write a number on it first");
  const rows = box.bottom - box.top + 1, columns = box.right - box.left + 1;
  // A lone dash is wide and flat: without the second term it would be blown up to a wall.
  const size = Math.max(rows, columns / 12);
  const margin = Math.ceil((size * (CARD_HEIGHT - INK_HEIGHT)) / 2 / INK_HEIGHT);
  const above = margin + Math.floor(Math.trunc(size - rows) / 2);
  const tall = rows + 2 * above, narrow = columns + 2 * margin;
  // A 1 of a thin pen needs more paper beside it: a reader refuses what stands upright.
  const beside = margin + Math.max(0, Math.ceil((Math.floor(tall / 2) - narrow + 1) / 2));
  const wide = columns + 2 * beside, drawn = new Uint8Array(tall * wide);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      drawn[(y + above) * wide + x + beside] = pixels[(y + box.top) * width + x + box.left] < PAPER ? 1 : 0;
    }
  }
  const inside = distances(drawn, wide, tall, 0), outside = distances(drawn, wide, tall, 1);
  // Moving the edge of the ink by `grow` pixels changes the pen and keeps the shape of the stroke.
  const grow = (PEN_SHARE * size - penWidth(inside, wide, tall)) / 2;
  const card = new Uint8Array(drawn.length);
  for (let i = 0; i < card.length; i++) {
    card[i] = Math.floor(255 - 255 * Math.min(1, Math.max(0, 0.5 + inside[i] - outside[i] + grow)));
  }
  return resized({ pixels: card, width: wide, height: tall }, halfEven((wide * CARD_HEIGHT) / tall), CARD_HEIGHT);
}

function inkBox(pixels, width) {
  const box = { left: Infinity, top: Infinity, right: -1, bottom: -1, count: 0 };
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] >= PAPER) continue;
    const x = i % width, y = Math.floor(i / width);
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = y;
    box.count++;
  }
  return box;
}

// Twice the mean distance along the middle of the strokes, where it is no smaller than at any neighbour.
function penWidth(inside, width, height) {
  let sum = 0, count = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x, here = inside[at];
      if (here === 0) continue;
      const highest = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1].every((to) => inside[at + to] <= here);
      if (highest) [sum, count] = [sum + here, count + 1];
    }
  }
  return (2 * sum) / count - 1;
}

// From each pixel the Euclidean distance to the nearest with this value: columns first, then rows, by the lower
// envelope of parabolas (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012).
function distances(drawn, width, height, value) {
  const squares = new Float64Array(drawn.length), far = (width + height) ** 2;
  for (let x = 0; x < width; x++) {
    const column = Float64Array.from({ length: height }, (_, y) => (drawn[y * width + x] === value ? 0 : far));
    envelope(column).forEach((square, y) => (squares[y * width + x] = square));
  }
  for (let y = 0; y < height; y++) squares.set(envelope(squares.subarray(y * width, (y + 1) * width)), y * width);
  return squares.map(Math.sqrt);
}

function envelope(heights) {
  const centres = new Int32Array(heights.length), edges = new Float64Array(heights.length + 1);
  const out = new Float64Array(heights.length);
  let last = 0;
  [edges[0], edges[1]] = [-Infinity, Infinity];
  const crossing = (a, b) => (heights[b] + b * b - heights[a] - a * a) / (2 * (b - a));
  for (let place = 1; place < heights.length; place++) {
    let edge = crossing(centres[last], place);
    while (edge <= edges[last]) edge = crossing(centres[--last], place);
    centres[++last] = place;
    [edges[last], edges[last + 1]] = [edge, Infinity];
  }
  for (let place = 0, k = 0; place < heights.length; place++) {
    while (edges[k + 1] < place) k++;
    out[place] = (place - centres[k]) ** 2 + heights[centres[k]];
  }
  return out;
}

function halfEven(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}
