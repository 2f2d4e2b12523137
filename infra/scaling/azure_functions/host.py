"""What stands between a request and an Azure function, in small: finds functions, checks and calls them.

    python host.py index FOLDER               the functions of FOLDER/function_app.py, as JSON
    python host.py serve FOLDER PORT          answers at http://127.0.0.1:PORT/api/ROUTE
    python host.py deliver FOLDER PATH FILE   FILE has arrived in storage as PATH (cards/one.png)

In the cloud two programs of Microsoft's do this: the host, in .NET, and the worker, which starts Python. Here
the app is indexed, and requests, pictures and answers are turned into Microsoft's classes and back, by the
same calls of ``azure.functions`` that the worker makes. The rest is the course's: routes, keys, and what
``host.json`` may say (a list of our own after Microsoft's page; their host reads it, and it is not here).
"""

import importlib
import inspect
import json
import os
import re
import sys
import typing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
from azure.functions.meta import Datum, get_binding_registry

KEY = "FUNCTIONS_KEY"  # the variable with the key that callers send in the header
HEADER = "x-functions-key"
IN = 0  # as function.json counts directions
HOST_FIELDS = {
    *("version", "aggregator", "concurrency", "customHandler", "extensionBundle", "extensions", "functions"),
    *("functionTimeout", "healthMonitor", "logging", "managedDependency", "retry", "singleton"),
    *("telemetryMode", "watchDirectories", "watchFiles"),
}
FORMS = {
    "version": r"2\.0",
    "functionTimeout": r"-1|\d\d:\d\d:\d\d",
    "extensionBundle.id": r"Microsoft\.Azure\.Functions\.ExtensionBundle(\.Preview)?",
    "extensionBundle.version": r"\[\d+\.(\d+\.\d+|\*), \d+\.\d+\.\d+\)",
    "extensions.http.routePrefix": r"[\w/-]*",
    "extensions.http.maxConcurrentRequests": r"-1|[1-9]\d*",
}


class Refused(Exception):
    """The app is not whole; the message says where."""


def index(folder: Path) -> list:
    """The functions of ``function_app.py``, checked. Raises Refused, or what the package raises."""
    sys.path.insert(0, str(folder))
    module = importlib.import_module("function_app")
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise Refused(f"function_app.py has {len(apps)} function apps: it has one")
    functions = apps[0].get_functions()  # once: a second call would find each name twice
    if problems := [problem for function in functions for problem in mismatches(function)]:
        raise Refused(problems[0])
    return functions


def mismatches(function) -> typing.Iterator[str]:
    """Where the parameters of a function are not those of its bindings."""
    name, called = function.get_function_name(), function.get_user_function()
    parameters = inspect.signature(called).parameters.keys() - {"context"}
    bound = {binding.name: binding for binding in function.get_bindings()}
    for missing in sorted(parameters - bound.keys()):
        yield f"{name}: nothing is bound to the parameter {missing!r}"
    for missing in sorted(bound.keys() - parameters - {"$return"}):
        yield f"{name}: the binding {missing!r} has no parameter"
    for parameter, annotation in typing.get_type_hints(called).items():
        binding = bound.get("$return" if parameter == "return" else parameter)
        converter = get_binding_registry().get(binding.type) if binding else None
        if converter and not _fits(converter, binding, annotation):
            yield f"{name}: {parameter!r} is a {binding.type}, which is no {annotation}"


def _fits(converter, binding, annotation) -> bool:
    inner = typing.get_args(annotation)[0] if typing.get_origin(annotation) is func.Out else None
    if binding.direction == IN:
        return inner is None and converter.check_input_type_annotation(annotation)
    return converter.check_output_type_annotation(inner or annotation)


def settings(folder: Path) -> dict:
    """``host.json``. Raises Refused for a field that is not there or has not its form."""
    try:
        document = json.loads((folder / "host.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refused(f"host.json is not JSON: {error}") from None
    if unknown := sorted(document.keys() - HOST_FIELDS):
        raise Refused(f"host.json: unknown field {unknown[0]!r}")
    for place, form in FORMS.items():
        value = document
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is None and place == "version":
            raise Refused("host.json: version is missing")
        if value is not None and not re.fullmatch(form, str(value)):
            raise Refused(f"host.json: {place} cannot be {value!r}")
    return document


def call(function, method: str, url: str, headers: dict, body: bytes) -> tuple[int, dict, bytes]:
    """The answer of a function to a request: status, headers, body."""
    text = {name: Datum(value, "string") for name, value in headers.items()}
    query = {name: Datum(value, "string") for name, value in parse_qsl(urlsplit(url).query)}
    request = {"method": Datum(method, "string"), "url": Datum(url, "string"), "headers": text}
    request |= {"query": query, "params": {}, "body": Datum(body, "bytes")}
    trigger = function.get_trigger()
    decoded = _converter(trigger).decode(Datum(request, "http"), trigger_metadata=None)
    answer = function.get_user_function()(**{trigger.name: decoded})
    output = next(binding for binding in function.get_bindings() if binding.name == "$return")
    encoded = _converter(output).encode(answer, expected_type=None)
    if encoded.type == "string":
        return 200, {"content-type": "text/plain"}, encoded.value.encode()
    parts = encoded.value
    fields = {name: value.value for name, value in parts["headers"].items()}
    return int(parts["status_code"].value), fields, parts["body"].value


class _Output(func.Out):
    """What a function sets as an output."""

    value = None

    def set(self, val):
        self.value = val

    def get(self):
        return self.value


def deliver(functions: list, path: str, data: bytes) -> dict[str, str]:
    """What the functions that wait for an object of this path put into storage: path to text."""
    stored = {}
    for function in functions:
        trigger = function.get_trigger()
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(getattr(trigger, "path", "") or ""))
        if trigger.type != "blobTrigger" or not (match := re.fullmatch(pattern, path)):
            continue
        metadata = {"BlobTrigger": Datum(path, "string")}
        values = {trigger.name: _converter(trigger).decode(Datum(data, "bytes"), trigger_metadata=metadata)}
        outputs = [binding for binding in function.get_bindings() if binding is not trigger]
        values |= {binding.name: _Output() for binding in outputs}
        function.get_user_function()(**values)
        for binding in outputs:
            if (value := values[binding.name].get()) is not None:
                encoded = _converter(binding).encode(value, expected_type=str)
                stored[binding.path.format(**match.groupdict())] = encoded.value
    return stored


def _converter(binding):
    return get_binding_registry().get(binding.type)


def serve(functions: list, prefix: str, port: int) -> None:
    """Answer the requests of the functions with an HTTP trigger, until the process is ended."""
    triggers = [(function, function.get_trigger().get_dict_repr()) for function in functions]
    routes = {
        f"/{prefix}/{known['route']}": (function, known) for function, known in triggers if "route" in known
    }

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            function, known = routes.get(urlsplit(self.path).path, (None, {}))
            if function is None:
                return self.finish_with(404)
            if self.command not in [str(method) for method in known.get("methods", [self.command])]:
                return self.finish_with(405)
            if str(known.get("authLevel")) != "ANONYMOUS" and self.headers.get(HEADER) != os.environ.get(
                KEY, ""
            ):
                return self.finish_with(401)
            try:
                status, headers, content = call(function, self.command, self.path, dict(self.headers), body)
            except Exception as error:
                self.log_error("%s: %r", function.get_function_name(), error)
                return self.finish_with(500)
            return self.finish_with(status, headers, content)

        def finish_with(self, status: int, headers: dict | None = None, content: bytes = b""):
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.serve_forever()


def main(words: list[str]) -> int:
    folder = Path(words[1]).resolve()
    try:
        host, functions = settings(folder), index(folder)
    except Exception as error:  # whatever it is, the app does not start, and the log says why
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    if words[0] == "serve":
        prefix = host.get("extensions", {}).get("http", {}).get("routePrefix", "api")
        serve(functions, prefix, int(words[2]))
    elif words[0] == "deliver":
        print(json.dumps(deliver(functions, words[2], Path(words[3]).read_bytes())))
    else:
        known = {
            function.get_function_name(): json.loads(function.get_function_json()) for function in functions
        }
        print(json.dumps(known))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
