"""The Open Inference Protocol over gRPC: NVIDIA's client, health, reflection, and the same answers."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from polling import until

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring.machine import peak_memory
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader, pad
from fsdl_deploy.running.ports import names_a_taken_port
from fsdl_deploy.running.servers import Server

PROGRAM = ROOT / "infra" / "service" / "grpc" / "server.py"
ASK = """
import sys
import numpy as np
import tritonclient.grpc as oip

client = oip.InferenceServerClient(sys.argv[1])
folder = sys.argv[2]

def read(model, tensors):
    inputs = []
    for name, kind, value in tensors:
        inputs.append(oip.InferInput(name, list(value.shape), kind))
        inputs[-1].set_data_from_numpy(value)
    answer = client.infer(model, inputs, request_id="7")
    digits = [element.decode() for element in answer.as_numpy("digits")]
    return digits, answer.as_numpy("confidence").tolist(), answer.get_response().id
"""
READ = """
import json, pathlib
pictures = [path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.png"))]
saved = np.load(folder + "/pixels.npz")
print(json.dumps({
    "live": client.is_server_live() and client.is_server_ready() and client.is_model_ready("meter-reader"),
    "other": client.is_model_ready("other"),
    "inputs": [tensor.name for tensor in client.get_model_metadata("meter-reader-pixels").inputs],
    "pictures": read("meter-reader", [("pictures", "BYTES", np.array(pictures, object))]),
    "pixels": read("meter-reader-pixels",
                   [("pixels", "UINT8", saved["pixels"]), ("widths", "INT64", saved["widths"])]),
}))
"""
REFUSE = """
import json
from tritonclient.utils import InferenceServerException

wrong = {
    "no picture": ("meter-reader", [("pictures", "BYTES", np.array([b"no picture"], object))]),
    "another model": ("other", [("pictures", "BYTES", np.array([b""], object))]),
    "another input": ("meter-reader", [("image", "BYTES", np.array([b""], object))]),
    "half": ("meter-reader-pixels", [("pixels", "UINT8", np.zeros((1, 8, 8), np.uint8))]),
    "another type": ("meter-reader", [("pictures", "FP32", np.zeros(1, np.float32))]),
    "too many": ("meter-reader", [("pictures", "BYTES", np.array([b"x"] * 65, object))]),
    "too wide": ("meter-reader-pixels", [("pixels", "UINT8", np.zeros((1, 8, 8), np.uint8)),
                                         ("widths", "INT64", np.array([9]))]),
}
answers = {}
for name, (model, tensors) in wrong.items():
    try:
        answers[name] = ["answered", str(read(model, tensors))]
    except InferenceServerException as error:
        answers[name] = [error.status(), error.message()]
print(json.dumps(answers))
"""
STANDARD = """
import json, sys
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

channel = grpc.insecure_channel(sys.argv[1])
health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
print(json.dumps([health.status, list(ProtoReflectionDescriptorDatabase(channel).get_services())]))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return ensure("grpc")


@pytest.fixture(scope="module")
def server(python):
    with Server([python, PROGRAM, "--port", "{port}"], ready=None, timeout=120) as server:
        yield server


@pytest.fixture(scope="module")
def locked(python):
    command = [python, PROGRAM, "--port", "{port}", "--access-log"]
    with Server(command, ready=None, timeout=120, env={"FSDL_API_KEY": "sesame"}) as server:
        yield server


@pytest.fixture
def ask(python, server, tmp_path):
    def run(program: str, server: Server = server):
        process = subprocess.run(
            [python, "-c", program, server.url.removeprefix("http://"), str(tmp_path)],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert process.returncode == 0, process.stderr[-3000:]
        return json.loads(process.stdout)

    return run


def test_nvidias_client_gets_the_readers_answers(ask, tmp_path):
    images = [card.image for card in cards(20, seed=9)]
    for place, image in enumerate(images):
        (tmp_path / f"{place:02}.png").write_bytes(encode(image))
    pixels, widths = pad(images)
    np.savez(tmp_path / "pixels.npz", pixels=pixels, widths=widths)
    answers = ask(ASK + READ)
    assert answers["live"] and not answers["other"] and answers["inputs"] == ["pixels", "widths"]
    readings = open_reader().read(images)
    expected = [[r.digits for r in readings], [float(np.float32(r.confidence)) for r in readings], "7"]
    assert answers["pictures"] == answers["pixels"] == expected


def test_bad_calls_end_with_a_code_and_a_sentence(ask, server):
    answers = ask(ASK + REFUSE)
    expected = {
        "no picture": ("INVALID_ARGUMENT", "pictures[0]: the bytes are not a picture"),
        "another model": ("NOT_FOUND", "there are meter-reader"),
        "another input": ("INVALID_ARGUMENT", "each once"),
        "half": ("INVALID_ARGUMENT", "widths is missing"),
        "another type": ("INVALID_ARGUMENT", "the datatype is BYTES"),
        "too many": ("INVALID_ARGUMENT", "at most 64 pictures"),
        "too wide": ("INVALID_ARGUMENT", "a width is 1 to 8"),
    }
    assert answers.keys() == expected.keys()
    for name, (code, problem) in expected.items():
        assert code in answers[name][0] and problem in answers[name][1], (name, answers[name])
    assert server.running


def test_health_and_reflection_are_the_standard_ones(ask):
    status, services = ask(STANDARD)
    assert status == 1  # SERVING
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= set(services)


def test_a_second_server_does_not_share_the_port(python, server):
    command = [python, PROGRAM, "--port", str(server.port)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert process.returncode != 0 and names_a_taken_port(process.stderr), process.stderr[-3000:]
    assert server.running


CALL = """
import json, sys
import grpc
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

channel = grpc.insecure_channel(sys.argv[1])
stub = services.GRPCInferenceServiceStub(channel)
folder = sys.argv[2]

def infer(*inputs, model="meter-reader-pixels", raw=(), outputs=(), **more):
    request = messages.ModelInferRequest(model_name=model, raw_input_contents=raw, **more)
    for name, kind, shape, contents in inputs:
        request.inputs.add(name=name, datatype=kind, shape=shape).contents.MergeFrom(
            messages.InferTensorContents(**contents))
    for name in outputs:
        request.outputs.add(name=name)
    return request

def status_of(call, request):
    try:
        return ["OK", str(call(request))]
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
"""
CONTENTS = """
widths = ("widths", "INT64", [1], {"int64_contents": [8]})
pixels = [100] * 64
def of(kind="UINT8", shape=(1, 8, 8), raw=(), **contents):
    return status_of(stub.ModelInfer, infer(("pixels", kind, shape, contents), widths, raw=raw))
print(json.dumps({
    "right": of(uint_contents=pixels),
    "strings": of(shape=[1, 500, 1000], bytes_contents=[b"1" * 2000] + [b"1"] * 499_999),
    "another": of(int64_contents=pixels),
    "two": of(uint_contents=pixels, int_contents=[1]),
    "none": of(),
    "large": of(uint_contents=[256] + pixels[1:]),
    "fewer": of(uint_contents=pixels[1:]),
    "floats": of("FP32", fp32_contents=[0.5] * 64),
    "both": of(uint_contents=pixels, raw=[bytes(64), bytes(8)]),
    "pictures": status_of(stub.ModelInfer, infer(
        ("pictures", "BYTES", [1], {"uint_contents": [1]}), model="meter-reader")),
}))
"""


def test_elements_are_taken_from_the_field_of_their_datatype_only(ask, server):
    before = peak_memory(server.pid)
    answers = ask(CALL + CONTENTS)
    assert answers.pop("right")[0] == "OK"
    expected = {
        "strings": "pixels: bytes_contents is filled: its UINT8 belongs in contents.uint_contents",
        "another": "pixels: int64_contents is filled",
        "two": "pixels: int_contents is filled",
        "none": "pixels: 0 bytes do not fill the shape",
        "large": "pixels: contents hold whole numbers from 0 to 255",
        "fewer": "pixels: 63 bytes do not fill the shape",
        "floats": "pixels: the datatype is UINT8",
        "both": "pixels: uint_contents is filled: its UINT8 belongs in raw_input_contents",
        "pictures": "pictures: uint_contents is filled: its BYTES belongs in contents.bytes_contents",
    }
    assert answers.keys() == expected.keys()
    for name, problem in expected.items():
        assert answers[name][0] == "INVALID_ARGUMENT" and problem in answers[name][1], (name, answers[name])
    assert peak_memory(server.pid) < before + 200, "a message of 2 MB took hundreds"


VERSIONS = """
name = "meter-reader-pixels"
inputs = [("pixels", "UINT8", [1, 8, 8], {"uint_contents": [100] * 64}),
          ("widths", "INT64", [1], {"int64_contents": [8]})]
print(json.dumps({version: [
    stub.ModelReady(messages.ModelReadyRequest(name=name, version=version)).ready,
    status_of(stub.ModelMetadata, messages.ModelMetadataRequest(name=name, version=version)),
    status_of(stub.ModelInfer, infer(*inputs, model_version=version)),
] for version in ("", "v2", "999", "9" * 10**6)}))
"""


def test_another_version_of_the_model_is_not_here(ask):
    versions = ask(CALL + VERSIONS)
    for version in ("", "v2"):
        ready, *answers = versions.pop(version)
        assert ready and [code for code, _ in answers] == ["OK", "OK"], answers
    for ready, *answers in versions.values():
        assert not ready and answers == [["NOT_FOUND", "version: meter-reader-pixels has version v2"]] * 2


OUTPUTS = """
card = [("pictures", "BYTES", [1], {"bytes_contents": [open(folder + "/card.png", "rb").read()]})]
nothing = [("pictures", "BYTES", [1], {"bytes_contents": [b"no picture"]})]
def of(inputs, *names):
    return status_of(stub.ModelInfer, infer(*inputs, model="meter-reader", outputs=names))
print(json.dumps({
    "long": of(card, "x" * 10**6),
    "other alphabet": of(card, chr(0x1F4C8) * 10**5),
    "before the pictures": of(nothing, "nothing"),
    "one": of(card, "confidence")[1].count("name:"),
    "often": of(card, *["digits"] * 10**5)[1].count("name:"),
}))
"""


def test_outputs_are_checked_before_the_model_runs_and_given_once(ask, tmp_path):
    (tmp_path / "card.png").write_bytes(encode(next(cards(1)).image))
    answers = ask(CALL + OUTPUTS)
    # The model's name counts for one.
    assert answers.pop("one") == answers.pop("often") == 2
    for name, (code, problem) in answers.items():
        assert code == "INVALID_ARGUMENT" and len(problem) <= 500, (name, code, len(problem))
        assert problem.startswith("outputs: there are digits, confidence, digit_confidence, not '"), name


KEYS = """
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

card = infer(("pixels", "UINT8", [1, 8, 8], {"uint_contents": [100] * 64}),
             ("widths", "INT64", [1], {"int64_contents": [8]}))

def called(call, request, *metadata):
    try:
        answer, call = call.with_call(request, metadata=metadata)
        return ["OK", "", dict(call.trailing_metadata()).get("x-request-id")]
    except grpc.RpcError as error:
        return [error.code().name, error.details(), dict(error.trailing_metadata()).get("x-request-id")]

def read(*metadata):
    return called(stub.ModelInfer, card, *metadata)

key = ("authorization", "Bearer sesame")
about = [(stub.ServerLive, messages.ServerLiveRequest()), (stub.ServerReady, messages.ServerReadyRequest()),
         (stub.ServerMetadata, messages.ServerMetadataRequest()),
         (stub.ModelReady, messages.ModelReadyRequest(name="meter-reader")),
         (stub.ModelMetadata, messages.ModelMetadataRequest(name="meter-reader")),
         (health_pb2_grpc.HealthStub(channel).Check, health_pb2.HealthCheckRequest())]
ask_other = channel.unary_unary("/inference.GRPCInferenceService/Other")
ask_nonsense = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
print(json.dumps({
    "refused": [read(), read(("authorization", "Bearer sesam")), read(("authorization", "Basic sesame")),
                read(("authorization", "sesame"))],
    "open": [called(call, request)[0] for call, request in about],
    "services": len(ProtoReflectionDescriptorDatabase(channel).get_services()),
    "given": read(key, ("x-request-id", "billing-7")),
    "lie": read(("x-request-id", 'x" or a lie')),
    "unwritten": called(stub.RepositoryIndex, messages.RepositoryIndexRequest(), key),
    "other": [called(ask_other, b""), called(ask_other, b"", key)],
    "nonsense": called(ask_nonsense, bytes([255] * 9), key),
}))
"""


def test_without_the_key_nothing_is_read_and_each_call_leaves_a_line(ask, locked):
    answers = ask(CALL + KEYS, locked)
    for code, problem, _ in answers["refused"]:
        assert code == "UNAUTHENTICATED" and "authorization: Bearer KEY" in problem
    assert answers["open"] == ["OK"] * 6 and answers["services"] == 3
    assert answers["given"] == ["OK", "", "billing-7"]
    code, _, request_id = answers["lie"]
    assert code == "UNAUTHENTICATED" and len(request_id) == 32
    assert answers["unwritten"][0] == "UNIMPLEMENTED"
    assert [answer[0] for answer in answers["other"]] == ["UNAUTHENTICATED", "UNIMPLEMENTED"]
    assert answers["nonsense"][0] == "INVALID_ARGUMENT" and "form" in answers["nonsense"][1]

    def lines() -> dict:
        entries = [json.loads(line) for line in locked.log().splitlines() if line.startswith("{")]
        return {entry["request_id"]: entry for entry in entries}

    ids = {"billing-7", request_id, answers["unwritten"][2], answers["nonsense"][2]}
    until(lambda: ids <= lines().keys(), what="a line for each call")
    kept = lines()["billing-7"]
    assert kept.keys() == {"time", "request_id", "method", "path", "status", "ms", "client"}
    assert kept["path"] == "/inference.GRPCInferenceService/ModelInfer" and kept["ms"] > 0
    assert (kept["status"], kept["client"]) == ("OK", "127.0.0.1")
    assert lines()[request_id]["status"] == "UNAUTHENTICATED"
    assert "sesam" not in locked.log()


ASK_AGAIN = """
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

for _ in range(500):
    services = ProtoReflectionDescriptorDatabase(channel).get_services()  # it leaves each stream open
print(json.dumps(len(services)))
"""


def test_clients_that_go_in_the_middle_of_a_stream_do_not_end_the_server(ask, locked):
    assert ask(CALL + ASK_AGAIN, locked) == 3
    assert locked.running


FULL = """
import os, signal

card, pid, signals = folder.split()
pictures = [open(card, "rb").read()] * 64
request = infer(("pictures", "BYTES", [64], {"bytes_contents": pictures}), model="meter-reader")
live = messages.ServerLiveRequest()
stub.ServerLive(live)  # the connection is there
calls = [stub.ModelInfer.future(request) for _ in range(64)]
stub.ServerLive(live)  # behind the others on this connection: they have been taken
os.kill(int(pid), signal.SIGTERM)
for _ in range(int(signals) - 1):
    while status_of(stub.ServerLive, live)[0] == "OK":
        pass  # the first signal has not arrived, and would be one with the second
    os.kill(int(pid), signal.SIGTERM)
print(json.dumps([[call.code().name, call.details()] for call in calls]))
"""
WATCH = """
import os, signal
from grpc_health.v1 import health_pb2, health_pb2_grpc

watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
statuses = [next(watching).status]
os.kill(int(folder), signal.SIGTERM)
try:
    statuses += [message.status for message in watching]
except grpc.RpcError as error:
    statuses.append(error.code().name)
print(json.dumps(statuses))
"""


@pytest.mark.parametrize(
    ("words", "signals", "some_lost"),
    [([], 1, False), (["--grace", "0"], 1, True), ([], 2, True)],
    ids=["default", "none", "second signal"],
)
def test_calls_that_were_taken_have_the_grace(python, tmp_path, words, signals, some_lost):
    """Without it some are lost, so the queue is long enough to tell."""
    command = [python, PROGRAM, "--port", "{port}", "--threads", "1", *words]
    (tmp_path / "card.png").write_bytes(encode(np.full((32, 200), 255, np.uint8)))
    with Server(command, ready=None, timeout=120, grace=60) as server:
        words = [server.url.removeprefix("http://"), f"{tmp_path / 'card.png'} {server.pid} {signals}"]
        process = subprocess.run(
            [python, "-c", CALL + FULL, *words], capture_output=True, text=True, timeout=120
        )
        assert process.returncode == 0, process.stderr[-3000:]
        until(lambda: not server.running, what="the end of the server")
    ends = Counter(map(tuple, json.loads(process.stdout)))
    # On a slow machine some wait longer than the service lets them: these are answered too.
    answered = sum(ends[end] for end in ends if end[0] == "OK" or end[1].startswith("service: busy"))
    assert ends.total() == 64 and (answered < 64) == some_lost, ends


def test_a_client_that_watches_does_not_keep_a_server_that_stops(python):
    with Server([python, PROGRAM, "--port", "{port}", "--grace", "300"], ready=None, timeout=120) as server:
        process = subprocess.run(
            [python, "-c", CALL + WATCH, server.url.removeprefix("http://"), str(server.pid)],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert process.returncode == 0, process.stderr[-3000:]
        until(lambda: not server.running, what="the end of the server")
    statuses = json.loads(process.stdout)
    assert (statuses[0], statuses[-1]) == (1, "UNAVAILABLE")  # SERVING, and then the call ends


LEAVE = """
import json, os, signal, time
os.kill(int(folder.split()[1]), signal.SIGTERM)
while client.is_server_ready():
    time.sleep(0.01)
card = np.array([open(folder.split()[0], "rb").read()], object)
print(json.dumps([client.is_server_live(), client.is_model_ready("meter-reader"),
                  read("meter-reader", [("pictures", "BYTES", card)])[0]]))
"""


def test_a_server_that_stops_says_so_and_still_answers(python, tmp_path):
    (tmp_path / "card.png").write_bytes(encode(next(cards(1)).image))
    with Server([python, PROGRAM, "--port", "{port}", "--drain", "300"], ready=None, timeout=120) as server:
        words = [server.url.removeprefix("http://"), f"{tmp_path / 'card.png'} {server.pid}"]
        process = subprocess.run(
            [python, "-c", ASK + LEAVE, *words], capture_output=True, text=True, timeout=120
        )
        assert process.returncode == 0, process.stderr[-3000:]
        assert json.loads(process.stdout) == [
            True,
            False,
            [open_reader().read([next(cards(1)).image])[0].digits],
        ]
        # Leaving the block sends the second signal, which ends it at once: Server would kill it otherwise.
