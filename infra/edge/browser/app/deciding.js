// Who has the last word on a card: this device, the service, or the person.

import { ask } from "./service.js";

/**
 * {digits, confidence, by: "device" | "service" | "person", milliseconds, asked}: `by` "person" means that the
 * digits are the best guess, and that somebody should look. `asked`: whether the service was, and if it answered.
 *
 * `reader`: of reader.js. `settings`: of the release. `service`: its address, or null where it may not be asked.
 */
export async function decided(picture, reader, settings, service) {
  const own = { ...(await reader.read(picture)), by: "device", asked: "no" };
  if (own.digits && own.confidence >= settings.threshold) return own;
  if (!service) return { ...own, by: "person" };
  const answer = await ask(service, picture, settings.deadline_ms);
  if (!answer) return { ...own, by: "person", asked: "no answer" };
  if (answer.digits && answer.confidence >= settings.threshold) return { ...own, ...answer, by: "service", asked: "answered" };
  const surer = answer.confidence > own.confidence ? answer : own;
  return { ...own, digits: surer.digits, confidence: surer.confidence, by: "person", asked: "unsure too" };
}
