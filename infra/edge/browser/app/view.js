// What the page shows, and its words. Knows the elements of index.html, and none of the rules.

export const element = (id) => document.getElementById(id);
const CONTROLS = ["read", "camera", "file", "update"];
const percent = (share) => `${Math.floor(100 * share)} %`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

export function starting() {
  element("how").textContent = "The reader is being loaded, and stored for when there is no link …";
  element("again").hidden = true;
}

export function ready(offline) {
  busy(false);
  element("how").textContent = offline
    ? "Ready, with or without a link. Write a number, or bring a picture."
    : "Ready. This browser does not store the page here, so it needs a link each time.";
}

/** Say what went wrong at the start; resolved when the person, or a link that is back, asks to try again. */
export function again(error) {
  problem(`The reader could not be loaded: ${error.message}. Look for a link, and try again.`);
  element("again").hidden = false;
  return new Promise((resolve) => {
    element("again").onclick = resolve;
    addEventListener("online", resolve, { once: true });
  });
}

export function busy(is) {
  element("result").setAttribute("aria-busy", is);
  for (const id of CONTROLS) element(id).disabled = is;
}

export function looking(is) {
  element("update").disabled = is;
}

export function canClear(can) {
  for (const id of ["undo", "clear"]) element(id).disabled = !can;
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
  element("check").hidden = true;
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

/** Why an update was not taken, and what reads on. */
export function refused({ reason, message }, kept) {
  message = message.replace(/\.$/, "");
  const on = kept ? ` Release ${kept.version} reads on.` : "";
  if (reason === "no link") news(`No newer model was looked for: ${message}.${on}`);
  else news(`An update was refused (${reason}): ${message}.${on}`, true);
}

/** There is a new version of the page: `take` brings it in. */
export function newerPage(take) {
  element("reload").hidden = false;
  element("reload").onclick = take;
}
