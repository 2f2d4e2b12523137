// The meter reader for month end, in Java: the JDK's web server, and the model in a Python worker over a pipe.
//
// Java accepts, refuses, keeps the journal and ends in order. The worker knows pictures and nothing else. A card is
// answered only after its reading stands in the journal.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Service {
  static final int MOST_BYTES = 1 << 20, MOST_WAITING = 32, MOST_THREADS = 48, GRACE = 7;
  static final Path MODELS = Path.of(System.getenv("MODELS")), STATE = Path.of(System.getenv("STATE"));
  static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");

  static volatile boolean stopping = false;
  static volatile String active = null;
  static final Semaphore places = new Semaphore(MOST_WAITING);
  static final Map<String, String[]> cards = new ConcurrentHashMap<>(); // id -> the picture's sum, the answer
  static Worker worker;
  static RandomAccessFile journal;

  static class Refusal extends RuntimeException {
    final int status;
    final String field;

    Refusal(int status, String field, String problem) {
      super(problem);
      this.status = status;
      this.field = field;
    }
  }

  /** The worker: one line goes to it, one comes back, one card at a time. */
  static class Worker {
    final Process process;
    final BufferedReader from;
    final OutputStream to;

    Worker() throws IOException {
      process = new ProcessBuilder("python3", "worker.py").redirectError(ProcessBuilder.Redirect.INHERIT).start();
      from = process.inputReader(StandardCharsets.UTF_8);
      to = process.getOutputStream();
    }

    synchronized Map<String, Object> ask(String line) throws IOException {
      to.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      to.flush();
      String reply = from.readLine();
      if (reply == null) throw new IOException("the worker has ended");
      return Json.object(reply);
    }
  }

  /** The version that the file names takes over once the worker has loaded it; one that does not load, never. */
  static void watch() {
    while (true) {
      try {
        String wanted = Files.readString(MODELS.resolve("active")).strip();
        if (!wanted.equals(active)) {
          Map<String, Object> reply = worker.ask(wanted);
          if (reply.containsKey("ready")) active = wanted;
          else System.err.println("the new version is not used: " + reply.get("model"));
        }
        Thread.sleep(300);
      } catch (IOException | InterruptedException error) {
        System.err.println("the service ends: " + error);
        Runtime.getRuntime().halt(1); // without a worker it could only refuse: a restart is better
      }
    }
  }

  /** A line for each card: its sum, a blank, the answer. A kill may leave half a line: nobody was answered that. */
  static void openJournal() throws IOException {
    journal = new RandomAccessFile(new File(STATE.toFile(), "journal.txt"), "rw");
    byte[] all = new byte[(int) journal.length()];
    journal.readFully(all);
    int whole = new String(all, StandardCharsets.ISO_8859_1).lastIndexOf('\n') + 1;
    for (String line : new String(all, 0, whole, StandardCharsets.UTF_8).split("\n")) {
      String[] halves = line.split(" ", 2);
      if (halves.length == 2) cards.put((String) Json.object(halves[1]).get("id"), halves);
    }
    journal.setLength(whole);
    journal.seek(whole);
  }

  static synchronized String[] writeDown(String id, String sum, String answer) throws IOException {
    if (!cards.containsKey(id)) { // the same card may have come twice at once
      long end = journal.length();
      try {
        journal.write((sum + " " + answer + "\n").getBytes(StandardCharsets.UTF_8));
      } catch (IOException error) { // a full disk: no half line stays
        journal.setLength(end);
        journal.seek(end);
        throw new Refusal(503, "service", "the journal cannot be written");
      }
      cards.put(id, new String[] {sum, answer});
    }
    return cards.get(id);
  }

  static String accept(HttpExchange exchange) throws Exception {
    byte[] body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
    if (body.length > MOST_BYTES) throw new Refusal(413, "body", "at most " + MOST_BYTES + " bytes");
    Map<String, Object> fields;
    try {
      fields = Json.object(new String(body, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException error) {
      throw new Refusal(400, "body", error.getMessage());
    }
    if (!(fields.get("id") instanceof String id && ID.matcher(id).matches()))
      throw new Refusal(422, "id", "send 1 to 64 letters, digits and -");
    if (!(fields.get("picture") instanceof String picture)) throw new Refusal(422, "picture", "send a PNG in base64");
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(picture);
    } catch (IllegalArgumentException error) {
      throw new Refusal(422, "picture", "not base64");
    }
    String sum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    String[] known = cards.get(id);
    if (known == null) known = writeDown(id, sum, read(id, bytes));
    if (!known[0].equals(sum)) throw new Refusal(409, "id", "another picture came under this id");
    return known[1];
  }

  static String read(String id, byte[] picture) throws IOException {
    String version = active;
    if (version == null || stopping) throw new Refusal(503, "service", "starting or stopping: try again");
    if (!places.tryAcquire()) throw new Refusal(429, "service", "busy: try again");
    try {
      Map<String, Object> reply = worker.ask(version + " " + Base64.getEncoder().encodeToString(picture));
      if (reply.containsKey("problem")) throw new Refusal(422, "picture", (String) reply.get("problem"));
      if (!reply.containsKey("digits")) throw new Refusal(503, "service", "the version changes: try again");
      String digits = (String) reply.get("digits");
      return "{\"id\": \"" + id + "\", \"digits\": \"" + digits + "\", \"version\": " + Json.text(version) + "}";
    } finally {
      places.release();
    }
  }

  static String route(HttpExchange exchange) throws Exception {
    String path = exchange.getRequestURI().getPath(), method = exchange.getRequestMethod();
    if (method.equals("POST") && path.equals("/v1/cards")) return accept(exchange);
    if (method.equals("GET") && path.equals("/readyz")) {
      if (active == null || stopping) throw new Refusal(503, "service", "starting or stopping");
      return "{\"version\": " + Json.text(active) + "}";
    }
    String[] known = path.startsWith("/v1/cards/") ? cards.get(path.substring(10)) : null;
    if (method.equals("GET") && known != null) return known[1];
    throw new Refusal(404, "path", "there is no such card, or no such route");
  }

  static void answer(HttpExchange exchange) {
    int status = 200;
    String text;
    try {
      text = route(exchange);
    } catch (Exception error) {
      boolean foreseen = error instanceof Refusal;
      status = foreseen ? ((Refusal) error).status : 500;
      String field = foreseen ? ((Refusal) error).field : "service";
      text = "{\"error\": {\"field\": \"" + field + "\", \"problem\": " + Json.text("" + error.getMessage()) + "}}";
      if (status == 429 || status == 503) exchange.getResponseHeaders().set("Retry-After", "1");
      if (!foreseen) System.err.println(error);
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    if (stopping || status >= 400) exchange.getResponseHeaders().set("Connection", "close");
    try (exchange) {
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    } catch (IOException error) {
      // a client that has left is no news
    }
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("sun.net.httpserver.maxReqTime", "15"); // seconds that a request may take to come
    System.setProperty("sun.net.httpserver.nodelay", "true");
    worker = new Worker();
    openJournal();
    Thread watcher = new Thread(Service::watch);
    watcher.setDaemon(true);
    watcher.start();
    int port = Integer.parseInt(System.getenv("PORT"));
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 128);
    server.createContext("/", Service::answer);
    server.setExecutor(new ThreadPoolExecutor(4, MOST_THREADS, 10, TimeUnit.SECONDS, new SynchronousQueue<>(),
        new ThreadPoolExecutor.CallerRunsPolicy()));
    // Java itself would exit with 143 after SIGTERM: the hook finishes, and says that all went well.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      stopping = true;
      pause(300); // who is on the way still gets an answer
      server.stop(GRACE);
      worker.process.destroy();
      Runtime.getRuntime().halt(0);
    }));
    server.start();
  }

  static void pause(int milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
  }
}

/** As much JSON as the service needs, for the JDK has none: text, numbers, words, objects and lists. */
class Json {
  private static final Pattern WORD = Pattern.compile("-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?|true|false|null");
  private final String source;
  private int at = 0;

  private Json(String source) {
    this.source = source;
  }

  /** The object that {@code source} is; IllegalArgumentException for anything else. */
  static Map<String, Object> object(String source) {
    Json json = new Json(source);
    Object value = json.value(0);
    if (json.peek() != 0) throw new IllegalArgumentException("not JSON");
    if (!(value instanceof Map)) throw new IllegalArgumentException("send a JSON object");
    @SuppressWarnings("unchecked") Map<String, Object> object = (Map<String, Object>) value;
    return object;
  }

  private char peek() {
    while (at < source.length() && " \t\r\n".indexOf(source.charAt(at)) >= 0) at++;
    return at < source.length() ? source.charAt(at) : 0;
  }

  private boolean take(char wanted) {
    if (peek() != wanted || at >= source.length()) return false;
    at++;
    return true;
  }

  private void need(char wanted) {
    if (!take(wanted)) throw new IllegalArgumentException("not JSON");
  }

  private Object value(int depth) {
    if (depth > 32) throw new IllegalArgumentException("too many brackets");
    if (peek() == '"') return string();
    if (take('{')) {
      Map<String, Object> object = new HashMap<>();
      if (take('}')) return object;
      do {
        peek();
        String name = string();
        need(':');
        object.put(name, value(depth + 1));
      } while (take(','));
      need('}');
      return object;
    }
    if (take('[')) {
      List<Object> list = new ArrayList<>();
      if (take(']')) return list;
      do list.add(value(depth + 1)); while (take(','));
      need(']');
      return list;
    }
    Matcher word = WORD.matcher(source).region(at, source.length());
    if (!word.lookingAt()) throw new IllegalArgumentException("not JSON");
    at = word.end();
    return word; // neither text nor an object: what it says is not needed
  }

  private String string() {
    need('"');
    StringBuilder text = new StringBuilder();
    while (at < source.length()) {
      char letter = source.charAt(at++);
      if (letter == '"') return text.toString();
      if (letter < ' ') break;
      if (letter != '\\') {
        text.append(letter);
        continue;
      }
      if (at >= source.length()) break;
      char escaped = source.charAt(at++);
      int place = "\"\\/bfnrt".indexOf(escaped);
      if (place >= 0) text.append("\"\\/\b\f\n\r\t".charAt(place));
      else if (escaped == 'u' && at + 4 <= source.length()) {
        text.append((char) Integer.parseInt(source.substring(at, at += 4), 16));
      } else break;
    }
    throw new IllegalArgumentException("not JSON");
  }

  static String text(String value) {
    return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("[\\x00-\\x1f]", " ") + "\"";
  }
}
