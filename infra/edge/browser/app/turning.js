// How a picture is turned: EXIF's orientation, read and undone.

/** EXIF's orientation, 1 (as it should be) to 8. */
export function orientation(exif) {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength), little = exif[0] === 0x49;
  try {
    if (view.getUint16(2, little) !== 42) return 1;
    const start = view.getUint32(4, little);
    for (let tag = 0; tag < view.getUint16(start, little); tag++) {
      const at = start + 2 + 12 * tag;
      if (view.getUint16(at, little) !== 0x0112) continue;
      const value = view.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch {
    return 1; // an offset that leads out of the data
  }
  return 1;
}

/**
 * A WebP without its orientation, and what that was: {bytes, turn}. Browsers differ in whether they turn a WebP, so
 * none gets to see that it is turned. Any other file as it is, with turn 1: browsers turn a JPEG alike.
 */
export function unturnedWebp(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (word(0) !== "RIFF" || word(8) !== "WEBP") return { bytes, turn: 1 };
  for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) % 2)) {
    if (word(at) !== "EXIF") continue;
    const skip = word(at + 8) === "Exif" ? 6 : 0; // some programs write JPEG's beginning here, too
    const exif = bytes.slice(at + 8 + skip, at + 8 + view.getUint32(at + 4, true)), turn = orientation(exif);
    const bare = bytes.slice();
    bare.set([0x78, 0x78, 0x78, 0x78], at); // a part that nobody knows is passed over
    return { bytes: bare, turn };
  }
  return { bytes, turn: 1 };
}

/** A picture turned upright, by EXIF's orientation. */
export function turned(picture, turn) {
  const { pixels, width, height } = picture;
  if (turn === 1) return picture;
  const [columns, rows] = turn >= 5 ? [height, width] : [width, height];
  const out = new Uint8Array(pixels.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const y = [3, 4, 7, 8].includes(turn) ? rows - 1 - row : row;
      const x = [2, 3, 6, 7].includes(turn) ? columns - 1 - column : column;
      out[row * columns + column] = turn >= 5 ? pixels[x * width + y] : pixels[y * width + x];
    }
  }
  return { pixels: out, width: columns, height: rows };
}
