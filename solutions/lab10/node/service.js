// The meter reader for month end, in Node.js with the ONNX Runtime that browsers run (WebAssembly).
//
// One thread does everything, one card after the other, so the number that may wait is what protects everybody.
// A card is answered only after its reading stands in the journal.

const { createHash } = require("node:crypto");
const { openSync, readFileSync, writeSync, ftruncateSync, statSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const ort = require("onnxruntime-web/wasm");
const { decode } = require("./png.js");

const { PORT, MODELS, STATE } = process.env;
const MOST_BYTES = 2 ** 20, MOST_WAITING = 32, MOST_CONNECTIONS = 64;
const GRACE = 7000; // milliseconds from SIGTERM to the end

class Refusal extends Error {
  constructor(status, field, problem) {
    super(problem);
    Object.assign(this, { status, field });
  }
}

// The journal: a line of JSON for each card. A kill may leave half a line at the end, whose card nobody was answered.
const cards = new Map();
const file = openJournal(join(STATE, "journal.jsonl"));

function openJournal(path) {
  const journal = openSync(path, "a+");
  const whole = readFileSync(path).lastIndexOf(10) + 1;
  for (const line of readFileSync(path).subarray(0, whole).toString().split("\n").filter(Boolean)) {
    const { sum, answer } = JSON.parse(line);
    cards.set(answer.id, { sum, answer });
  }
  if (whole < statSync(path).size) ftruncateSync(journal, whole);
  return journal;
}

// A line that does not fit (a full disk) is taken back, so that the next one does not stand behind half of it.
function writeDown(card) {
  const { size } = statSync(join(STATE, "journal.jsonl")), line = Buffer.from(JSON.stringify(card) + "\n");
  try {
    if (writeSync(file, line) !== line.length) throw new Error("only a part was written");
  } catch (error) {
    ftruncateSync(file, size);
    throw new Refusal(503, "service", `the journal cannot be written: ${error.message}`);
  }
  cards.set(card.answer.id, card);
}

// The active version, and a watch for the next one, which is tried before it takes over.
let active = null, stopping = false, waiting = 0, turn = Promise.resolve();

async function watch() {
  try {
    const version = readFileSync(join(MODELS, "active"), "utf8").trim();
    if (version !== active?.version) {
      const session = await ort.InferenceSession.create(readFileSync(join(MODELS, `${version}.onnx`)));
      await read(session, { width: 96, height: 32, pixels: Buffer.alloc(96 * 32, 255) });
      active = { version, session };
    }
  } catch (error) {
    console.error(`the new version is not used: ${error.message ?? error}`);
  }
  setTimeout(watch, 300);
}

async function read(session, { width, height, pixels }) {
  const { digits } = await session.run({
    pictures: new ort.Tensor("uint8", pixels, [1, height, width]),
    widths: new ort.Tensor("int64", [BigInt(width)], [1]),
  });
  return Array.from(digits.data).filter((digit) => digit >= 0n).join("");
}

// One card at a time: WebAssembly's runtime does not take a second call beside the first.
async function inTurn(work) {
  if (waiting >= MOST_WAITING) throw new Refusal(429, "service", "busy: try again");
  waiting += 1;
  const mine = turn.then(work);
  turn = mine.catch(() => {});
  try {
    return await mine;
  } finally {
    waiting -= 1;
  }
}

async function accept(request) {
  const { id, bytes } = fieldsOf(await bodyOf(request));
  const sum = createHash("sha256").update(bytes).digest("hex");
  if (!cards.has(id)) {
    if (!active || stopping) throw new Refusal(503, "service", "starting or stopping: try again");
    await inTurn(async () => {
      if (cards.has(id)) return; // the same card came twice, and the other one was first
      let picture;
      try {
        picture = decode(bytes);
      } catch (error) {
        throw new Refusal(422, "picture", error.message);
      }
      const { version, session } = active;
      writeDown({ sum, answer: { id, digits: await read(session, picture), version } });
    });
  }
  const known = cards.get(id);
  if (known.sum !== sum) throw new Refusal(409, "id", "another picture came under this id");
  return known.answer;
}

function fieldsOf(text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal(400, "body", "not JSON");
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) throw new Refusal(422, "body", "not an object");
  const { id, picture } = body;
  if (typeof id !== "string" || !/^[A-Za-z0-9-]{1,64}$/.test(id)) throw new Refusal(422, "id", "1 to 64 letters, digits, -");
  if (typeof picture !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(picture) || picture.length % 4) {
    throw new Refusal(422, "picture", "not base64");
  }
  return { id, bytes: Buffer.from(picture, "base64") };
}

async function bodyOf(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > MOST_BYTES) throw new Refusal(413, "body", `at most ${MOST_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

async function answerTo(request) {
  const { method, url } = request;
  if (method === "POST" && url === "/v1/cards") return accept(request);
  if (method === "GET" && url === "/readyz") {
    if (active && !stopping) return { version: active.version };
    throw new Refusal(503, "service", "starting or stopping");
  }
  const known = method === "GET" && url.startsWith("/v1/cards/") && cards.get(url.slice("/v1/cards/".length));
  if (known) return known.answer;
  throw new Refusal(404, "path", "there is no such card, or no such route");
}

const server = createServer(async (request, response) => {
  let status = 200, body;
  try {
    body = await answerTo(request);
  } catch (error) {
    if (!(error instanceof Refusal) && !request.destroyed) console.error(error);
    status = error.status ?? 500;
    body = { error: { field: error.field ?? "service", problem: error.message } };
    if (status === 429 || status === 503) response.setHeader("Retry-After", "1");
    response.setHeader("Connection", "close");
  }
  if (stopping) response.setHeader("Connection", "close");
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
});
server.maxConnections = MOST_CONNECTIONS;
server.requestTimeout = 15000;
server.headersTimeout = 10000;

// Who is on the way still gets an answer; then the port closes, and the process ends with its last connection.
process.on("SIGTERM", () => {
  stopping = true;
  setTimeout(() => server.close(() => process.exit(0)), 300);
  setInterval(() => server.closeIdleConnections(), 200);
  setTimeout(() => process.exit(0), GRACE);
});

ort.env.wasm.numThreads = 1;
watch();
server.listen(Number(PORT), "127.0.0.1");
