// The model service, for what this device is not sure of: the picture leaves the device only here.

import { encode } from "./picture.js";

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
    const [{ digits, confidence }] = (await response.json()).readings;
    return /^\d*$/.test(digits) && confidence >= 0 && confidence <= 1 ? { digits, confidence } : null;
  } catch {
    return null;
  }
}
