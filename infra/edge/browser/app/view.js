// What the page shows, and its words. Knows the elements of index.html, and none of the rules.

export const element = (id) => document.getElementById(id);
// What helps, by the reason; else a link does.
const HELP = {
  "no room": "Make room on this device, and try again.",
  "no https": "Open this page with https.",
};
const CONTROLS = ["read", "camera", "file", "update"];
const percent = (share) => `${Math.floor(100 * share)} %`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

export function starting() {
  element("how").textContent = "The reader is being loaded, and stored for when there is no link …";
  hidden("again", "reading");
}

export function ready(offline) {
  busy(false);
  element("how").textContent = offline
    ? "Ready, with or without a link. Write a number, or bring a picture."
    : "Ready. This browser does not store the page here, so it needs a link each time.";
}

/** Say what went wrong at the start; resolved when the person, or a link that is back, asks to try again. */
export function again(error) {
  const help = HELP[error.reason] ?? "Look for a link, and try again.";
  problem(`The reader could not be loaded: ${error.message.replace(/\.$/, "")}. ${help}`);
  element("again").hidden = false;
  return new Promise((resolve) => {
    element("again").onclick = resolve;
    addEventListener("online", resolve, { once: true });
  });
}

export function busy(is) {
  element("result").setAttribute("aria-busy", is);
  disabled(CONTROLS, is);
}

export function looking(is) {
  disabled(["update"], is);
}

export function canClear(can) {
  const had = document.activeElement?.id;
  for (const id of ["undo", "clear"]) element(id).disabled = !can;
  if (!can && ["undo", "clear"].includes(had)) element("pad").focus({ preventScroll: true });
}

// A control that is disabled loses the focus: whoever works with the keyboard gets it back with the control.
let waiting = null;
function disabled(ids, is) {
  const had = document.activeElement?.id;
  if (is && ids.includes(had)) waiting = had;
  for (const id of ids) element(id).disabled = is;
  if (is || !ids.includes(waiting)) return;
  if ([document.body, null, element(waiting)].includes(document.activeElement)) element(waiting).focus({ preventScroll: true });
  waiting = null;
}

// Hide an element; if the focus was in it, the element `next` gets it.
function hidden(id, next) {
  const had = element(id).contains(document.activeElement);
  element(id).hidden = true;
  if (had) element(next).focus({ preventScroll: true });
}

export function service(address) {
  element("asking").hidden = !address;
}

export const mayAsk = () => element("may-ask").checked;

export function picture({ pixels, width, height }) {
  const canvas = element("picture"), pen = ((canvas.width = width), (canvas.height = height), canvas.getContext("2d"));
  const image = pen.createImageData(width, height);
  for (let i = 0; i < pixels.length; i++) image.data.set([pixels[i], pixels[i], pixels[i], 255], 4 * i);
  pen.putImageData(image, 0, 0);
  element("seen").hidden = false;
}

/** An answer of deciding.js. */
export function reading({ digits, confidence, by, asked }) {
  const unsure = by === "person";
  element("result").className = unsure ? "unsure" : "";
  element("digits").textContent = digits || "–";
  element("check").hidden = !unsure;
  element("typed").value = digits;
  element("result").scrollIntoView({ block: "nearest" });
  const reason = { no: "there is no service to ask", "no answer": "the service does not answer", "unsure too": "the service is unsure, too" }[asked];
  element("how").textContent = unsure
    ? `Unsure (${percent(confidence)}), and ${reason}. Please check the digits, or type them.`
    : `${percent(confidence)} sure, read by ${by === "service" ? "the service, because this device was unsure" : "this device"}.`;
}

export function typed() {
  const digits = element("typed").value;
  element("digits").textContent = digits;
  element("how").textContent = "Typed by you.";
  element("result").className = "";
  hidden("check", "reading");
}

export function problem(sentence) {
  element("result").className = "unsure";
  element("digits").textContent = "";
  element("how").textContent = sentence[0].toUpperCase() + sentence.slice(1);
  element("check").hidden = true;
}

/** The rows of the budget: `milliseconds` of the last reading, or null; `usage` in bytes, or null if unknown. */
export function budget({ release, settings: { budget } }, milliseconds, usage) {
  const rows = [
    ["the model", release.files.model.bytes, budget.model_bytes, megabytes],
    ["one reading", milliseconds, budget.reading_ms, (value) => `${value.toFixed(1)} ms`],
    ["kept on this device", usage, budget.storage_bytes, megabytes],
  ];
  element("budget").replaceChildren(...rows.map(([what, value, most, unit]) => {
    const row = document.createElement("tr"), within = value === null || value <= most;
    const cells = [what, value === null ? "–" : unit(value), unit(most), value === null ? "" : within ? "✓ within" : "✗ over"];
    row.append(...cells.map((text, place) => {
      const cell = document.createElement(place ? "td" : "th");
      if (!place) cell.scope = "row";
      if (place === 3) cell.className = within ? "within" : "over";
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
}

export function release({ release: { version, model, published, expires } }) {
  const old = Date.parse(expires) < Date.now() ? " No news has come since it expired." : "";
  element("release").textContent = `Release ${version}: model ${model}, of ${published.slice(0, 10)}, counts until ${expires.slice(0, 10)}.${old}`;
}

export function news(sentence, bad = false) {
  element("news").textContent = sentence;
  element("news").className = bad ? "bad" : "";
}

// Reasons that lie with this device, not with the update.
const NOT_REFUSED = ["no room", "no trial", "no runtime", "no model"];

/** Why an update was not taken, and what reads on. */
export function refused({ reason, message }, kept) {
  message = message.replace(/\.$/, "");
  const on = kept ? ` Release ${kept.version} reads on.` : "";
  if (reason === "no link") news(`No newer model was looked for: ${message}.${on}`);
  else if (!reason) news(`No newer model could be taken: ${message}.${on}`, true);
  else if (NOT_REFUSED.includes(reason)) news(`The newer model was not taken (${reason}): ${message}.${on}`, true);
  else news(`An update was refused (${reason}): ${message}.${on}`, true);
}

/** There is a new version of the page: `take` brings it in. */
export function newerPage(take) {
  element("reload").hidden = false;
  element("reload").onclick = take;
}
