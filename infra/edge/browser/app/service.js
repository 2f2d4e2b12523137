// The model service, for what this device is not sure of: the picture leaves the device only here.

import { atMost } from "./download.js";
import { encode } from "./picture.js";

const MOST_ANSWER = 64 * 1024; // bytes
const DIGITS = /^[0-9]{0,64}$/; // a card 40 times as wide as high holds fewer

/** {digits, confidence} from the service; null where there is no link, no usable answer, or none in time. */
export async function ask(service, picture, milliseconds) {
  if (!service || !navigator.onLine) return null;
  try {
    const png = await encode(picture);
    let text = "";
    for (let at = 0; at < png.length; at += 0x8000) text += String.fromCharCode(...png.subarray(at, at + 0x8000));
    const response = await fetch(`${service}/read`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pictures: [btoa(text)] }),
      credentials: "omit",
      signal: AbortSignal.timeout(milliseconds),
    });
    if (!response.ok) return null;
    return reading(JSON.parse(new TextDecoder().decode(await atMost(response.body.getReader(), MOST_ANSWER))));
  } catch {
    return null;
  }
}

// The one reading of an answer, null if it is none: a list or a number would pass where only text is compared.
function reading({ readings }) {
  if (!Array.isArray(readings) || readings.length !== 1) return null;
  const [{ digits, confidence }] = readings;
  const usable = typeof digits === "string" && DIGITS.test(digits) && typeof confidence === "number" && confidence >= 0 && confidence <= 1;
  return usable ? { digits, confidence } : null;
}
