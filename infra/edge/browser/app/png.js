// PNG to grey pixels, the same bytes as Pillow gives in Python: a canvas would round what is transparent, cut
// 16 bits to 8 in another way, and apply colour profiles. Inflating is the browser's own.

import { checkedSize, grey, PictureError } from "./picture_rules.js";
import { orientation, turned } from "./turning.js";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
// Where an interlaced picture's seven passes begin, and how far apart their pixels are: x, y, across, down.
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

export const isPng = (bytes) => SIGNATURE.every((byte, i) => bytes[i] === byte);

/** The picture, upright, on white paper. Throws PictureError where the file is damaged or its size is not taken. */
export async function decodePng(bytes) {
  const file = chunks(bytes);
  const { width, height } = file;
  checkedSize(...(file.turn >= 5 ? [width, height] : [height, width]));
  const layout = file.interlaced ? PASSES : [[0, 0, 1, 1]];
  const rows = layout.map(([x, y, across, down]) => {
    const columns = Math.ceil((width - x) / across), count = Math.ceil((height - y) / down);
    return { columns: Math.max(0, columns), count: columns > 0 ? Math.max(0, count) : 0 };
  });
  const bits = file.depth * CHANNELS[file.colour];
  const lengths = rows.map(({ columns, count }) => count * (1 + Math.ceil((columns * bits) / 8)));
  const data = await inflated(file.data, lengths.reduce((sum, length) => sum + length, 0));
  const pixels = new Uint8Array(width * height), greyAt = shades(file);
  let start = 0;
  layout.forEach(([x, y, across, down], pass) => {
    const { columns, count } = rows[pass], stride = Math.ceil((columns * bits) / 8);
    let before = new Uint8Array(stride);
    for (let row = 0; row < count; row++, start += stride + 1) {
      const line = data.subarray(start + 1, start + 1 + stride);
      unfilter(data[start], line, before, Math.max(1, bits >> 3));
      const place = (y + row * down) * width + x;
      for (let column = 0; column < columns; column++) pixels[place + column * across] = greyAt(line, column);
      before = line;
    }
  });
  return turned({ pixels, width, height }, file.turn);
}

const damaged = (why) => new PictureError(`the picture is damaged: ${why}`);

function chunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const file = { turn: 0, parts: [] };
  for (let at = 8, kind; kind !== "IEND" && at + 12 <= bytes.length; ) {
    const length = view.getUint32(at), end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, end), whole = view.getUint32(end) === crc(bytes.subarray(at + 4, end));
    if (!whole && !(bytes[at + 4] & 0x20)) throw damaged(`its part ${kind} is not as it was written`);
    if (kind === "IHDR") header(file, body);
    if (kind === "PLTE") file.palette = body;
    if (kind === "tRNS" && whole) file.clear = body;
    if (kind === "eXIf") file.turn ||= orientation(body);
    if (kind === "IDAT") file.parts.push(body);
    at = end + 4;
  }
  if (!file.width || !file.parts.length) throw damaged("it has no pixels");
  if (file.colour === 3 && !file.palette) throw damaged("its palette is missing");
  if (file.clear && !saysWhatIsClear(file)) file.clear = undefined;
  return { ...file, turn: file.turn || 1, data: file.parts };
}

function header(file, body) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length !== 13) throw damaged("its header has the wrong length");
  Object.assign(file, { width: view.getUint32(0), height: view.getUint32(4), depth: body[8], colour: body[9] });
  file.interlaced = body[12] === 1;
  if (!DEPTHS[file.colour]?.includes(file.depth)) throw damaged("no PNG has such pixels");
}

const saysWhatIsClear = ({ colour, clear, palette }) =>
  (colour === 0 && clear.length === 2) || (colour === 2 && clear.length === 6) ||
  (colour === 3 && clear.length > 0 && clear.length <= palette.length / 3);

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

// Inflate to `length` bytes and not one more, so that a small file cannot fill the memory.
async function inflated(parts, length) {
  const out = new Uint8Array(length);
  let filled = 0;
  try {
    const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
    for (const reader = stream.getReader(); filled < length; ) {
      const { done, value } = await reader.read();
      if (done) break;
      out.set(value.subarray(0, length - filled), filled);
      filled += value.length;
      if (filled >= length) reader.cancel().catch(() => {});
    }
  } catch {
    throw damaged("its pixels cannot be unpacked");
  }
  if (filled < length) throw damaged("it is cut off");
  return out;
}

function unfilter(kind, line, before, step) {
  if (kind > 4) throw damaged("a row is written in a way that no PNG has");
  for (let i = 0; i < line.length; i++) {
    const left = i >= step ? line[i - step] : 0, up = before[i], corner = i >= step ? before[i - step] : 0;
    if (kind === 1) line[i] += left;
    else if (kind === 2) line[i] += up;
    else if (kind === 3) line[i] += (left + up) >> 1;
    else if (kind === 4) {
      const a = Math.abs(up - corner), b = Math.abs(left - corner), c = Math.abs(left + up - 2 * corner);
      line[i] += a <= b && a <= c ? left : b <= c ? up : corner;
    }
  }
}

// A function from a row and a column to the grey on white paper. Of 16 bits a colour Pillow keeps the high byte,
// of 16 bits of grey it is fsdl_deploy that scales.
function shades({ depth, colour, palette, clear }) {
  const wide = depth === 16 ? 2 : 1;
  const key = clear && colour !== 3 ? Array.from({ length: clear.length / 2 }, (_, i) => (clear[2 * i] << 8) | clear[2 * i + 1]) : null;
  if (colour === 0 || colour === 3) {
    const most = 2 ** Math.min(depth, 8) - 1, sample = samples(depth);
    if (colour === 3) {
      const table = Uint8Array.from({ length: 256 }, (_, i) => {
        const shade = grey(palette[3 * i] ?? 0, palette[3 * i + 1] ?? 0, palette[3 * i + 2] ?? 0);
        return onPaper(shade, clear?.[i] ?? 255);
      });
      return (line, column) => table[sample(line, column)];
    }
    if (depth === 16) {
      return (line, column) => {
        const value = (line[2 * column] << 8) | line[2 * column + 1];
        return key?.[0] === value ? 255 : Math.floor((value * 255 + 32767) / 65535);
      };
    }
    return (line, column) => {
      const value = sample(line, column);
      return key && (key[0] & most) === value ? 255 : (value * 255) / most;
    };
  }
  const step = wide * CHANNELS[colour];
  if (colour === 4) return (line, column) => onPaper(line[column * step], line[column * step + wide]);
  return (line, column) => {
    const at = column * step, shade = grey(line[at], line[at + wide], line[at + 2 * wide]);
    if (colour === 6) return onPaper(shade, line[at + 3 * wide]);
    const isKey = key?.every((value, i) => (wide === 1 ? value & 255 : value) ===
      (wide === 1 ? line[at + i] : (line[at + 2 * i] << 8) | line[at + 2 * i + 1]));
    return isKey ? 255 : shade;
  };
}

function samples(depth) {
  if (depth >= 8) return (line, column) => line[column];
  const each = 8 / depth, mask = 2 ** depth - 1;
  return (line, column) => (line[Math.floor(column / each)] >> (8 - depth * ((column % each) + 1))) & mask;
}

function onPaper(shade, alpha) {
  const sum = 255 * (255 - alpha) + shade * alpha + 128;
  return ((sum >> 8) + sum) >> 8;
}
