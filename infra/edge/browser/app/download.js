// Bytes from a server that may be slow, endless or gone: never more than asked for, never longer than allowed.

import { UpdateRefused } from "./release.js";

/**
 * The bytes at an address, at most `most` of them, within `milliseconds`.
 *
 * Throws UpdateRefused: "endless" for more bytes, "no link" where the server cannot be reached, breaks off or takes
 * too long, "missing" where it has no such file.
 */
export async function download(url, most, milliseconds) {
  const limit = AbortSignal.timeout(milliseconds);
  try {
    const response = await fetch(url, { cache: "no-store", redirect: "error", credentials: "omit", signal: limit });
    if (!response.ok) throw new UpdateRefused("missing", `the server has no ${new URL(url).pathname} (${response.status})`);
    return await atMost(response.body.getReader(), most);
  } catch (error) {
    if (error instanceof UpdateRefused) throw error;
    throw new UpdateRefused("no link", limit.aborted ? "the server takes too long" : "the server cannot be reached");
  }
}

/** All bytes of a stream; throws UpdateRefused "endless" for more than `most`. */
export async function atMost(reader, most) {
  const pieces = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new UpdateRefused("endless", `the server sends more than the ${most} bytes that were announced`);
    }
    pieces.push(value);
  }
  const bytes = new Uint8Array(length);
  pieces.reduce((at, piece) => (bytes.set(piece, at), at + piece.length), 0);
  return bytes;
}
