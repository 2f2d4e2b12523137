// A PNG as grey pixels, in plain JavaScript: 8 bits a channel, not interlaced, as cards are sent.
//
// The header is judged before a byte is unpacked, and no more is unpacked than the header says.

const { inflateSync } = require("node:zlib");

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 }; // by the colour type; 3 has a palette
const MOST_PIXELS = 2 ** 20;

// Checksums of the parts: a table of 256 remainders, as the PNG specification has it.
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function* parts(bytes) {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error("not a PNG");
  for (let at = 8; at < bytes.length; ) {
    if (at + 12 > bytes.length) throw new Error("cut off");
    const length = bytes.readUInt32BE(at);
    if (at + 12 + length > bytes.length) throw new Error("cut off");
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (crc(bytes.subarray(at + 4, at + 8 + length)) !== bytes.readUInt32BE(at + 8 + length)) {
      throw new Error("a checksum is wrong");
    }
    yield [bytes.toString("latin1", at + 4, at + 8), body];
    at += 12 + length;
  }
}

function paeth(left, up, corner) {
  const toLeft = Math.abs(up - corner), toUp = Math.abs(left - corner), toCorner = Math.abs(left + up - 2 * corner);
  return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
}

// Each row says by which of five rules its bytes were made smaller; here they are made whole again, in place.
function unfilter(rows, height, stride, step) {
  for (let y = 0; y < height; y++) {
    const at = y * (stride + 1) + 1, above = at - stride - 1, rule = rows[at - 1];
    if (rule > 4) throw new Error("damaged pixels");
    for (let x = 0; rule && x < stride; x++) {
      const left = x < step ? 0 : rows[at + x - step], up = y ? rows[above + x] : 0;
      const corner = x < step || !y ? 0 : rows[above + x - step];
      const guess = [0, left, up, (left + up) >> 1, rule === 4 ? paeth(left, up, corner) : 0][rule];
      rows[at + x] = (rows[at + x] + guess) & 255;
    }
  }
}

// One pixel on white paper: grey as ITU-R 601 weighs the colours, in the integers of most decoders.
function shade(pixel, alpha) {
  const [red, green, blue] = pixel.length >= 3 ? pixel : [pixel[0], pixel[0], pixel[0]];
  const grey = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  return Math.round((grey * alpha + 255 * (255 - alpha)) / 255);
}

function decode(bytes) {
  let header = null, palette = null, ended = false;
  const data = [];
  for (const [name, body] of parts(bytes)) {
    if (name === "IHDR") header = body;
    if (name === "PLTE") palette = body;
    if (name === "IDAT") data.push(body);
    if (name === "IEND") ended = true;
  }
  if (!header || header.length !== 13 || !data.length || !ended) throw new Error("cut off");
  const width = header.readUInt32BE(0), height = header.readUInt32BE(4);
  const [depth, colour, , , interlaced] = header.subarray(8);
  if (!width || !height || width * height > MOST_PIXELS) throw new Error("too many pixels, or none");
  const channels = colour === 3 ? 1 : CHANNELS[colour];
  if (depth !== 8 || !channels || interlaced || (colour === 3 && !palette)) throw new Error("an unknown kind of PNG");
  const stride = width * channels, size = height * (stride + 1);
  const rows = inflateSync(Buffer.concat(data), { maxOutputLength: size + 1 });
  if (rows.length !== size) throw new Error("as many pixels as the header says, please");
  unfilter(rows, height, stride, channels);
  const pixels = Buffer.alloc(width * height);
  for (let y = 0, place = 0; y < height; y++) {
    for (let x = 0; x < width; x++, place++) {
      const at = y * (stride + 1) + 1 + x * channels;
      const pixel = colour === 3 ? palette.subarray(rows[at] * 3, rows[at] * 3 + 3) : rows.subarray(at, at + channels);
      if (pixel.length === 0) throw new Error("a colour that the palette has not");
      pixels[place] = shade(pixel, colour === 4 || colour === 6 ? pixel[channels - 1] : 255);
    }
  }
  return { width, height, pixels };
}

module.exports = { decode };
