"""Shared memory over gRPC, with NVIDIA's client: the same readings, every refusal, nothing left behind."""

import json
import os
import secrets
import signal
import subprocess
import sys
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest
from polling import until

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader, pad
from fsdl_deploy.running.servers import Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX shared memory")
PROGRAM = ROOT / "infra" / "service" / "grpc" / "server.py"
OBJECTS = Path("/dev/shm")
CLIENT = """
import json, os, sys
import numpy as np
import tritonclient.grpc as oip
from tritonclient.utils import InferenceServerException, serialize_byte_tensor
from tritonclient.utils import shared_memory as shm

client = oip.InferenceServerClient(sys.argv[1])
folder, key = sys.argv[2:]
SIZE = 2**20
memory = shm.create_shared_memory_region("cards", key, SIZE, create_only=True)

def infer(model, inputs, outputs=()):
    return client.infer(model, [tensor(oip.InferInput(name, shape, kind), place)
                                for name, kind, shape, place in inputs],
                        outputs=[tensor(oip.InferRequestedOutput(name), place)
                                 for name, place in outputs] or None)

def tensor(message, place):
    if isinstance(place, np.ndarray):
        message.set_data_from_numpy(place)
    elif place:
        message.set_shared_memory(*place)
    return message

def refused(call, *words, **more):
    try:
        return ["OK", str(call(*words, **more))]
    except InferenceServerException as error:
        return [error.status().removeprefix("StatusCode."), error.message()]
"""
CLOSE = """
shm.destroy_shared_memory_region(memory)
"""
READ = """
client.register_system_shared_memory("cards", key, SIZE - 64, offset=64)
pictures = np.array([open(f"{folder}/{place}.png", "rb").read() for place in range(8)], object)
packed = serialize_byte_tensor(pictures).item()
saved = np.load(f"{folder}/pixels.npz")
pixels, widths = saved["pixels"], saved["widths"]
answers = {}

def keep(name, answer):
    answers[name] = [[digits.decode() for digits in answer.as_numpy("digits")],
                     answer.as_numpy("confidence").tolist(), answer.as_numpy("digit_confidence").tolist()]

keep("bytes", infer("meter-reader", [("pictures", "BYTES", [8], pictures)]))
shm.set_shared_memory_region(memory, [np.frombuffer(packed, np.uint8)], offset=64 + 7)
keep("pictures", infer("meter-reader", [("pictures", "BYTES", [8], ("cards", len(packed), 7))]))
shm.set_shared_memory_region(memory, [pixels, widths], offset=64)
places = [("cards", pixels.nbytes), ("cards", widths.nbytes, pixels.nbytes)]
shapes = [("pixels", "UINT8", list(pixels.shape)), ("widths", "INT64", [8])]
inputs = [(*shape, place) for shape, place in zip(shapes, places)]
keep("pixels", infer("meter-reader-pixels", inputs))
keep("half", infer("meter-reader-pixels", [inputs[0], (*shapes[1], widths)]))
answer = infer("meter-reader-pixels", inputs,
               [("digits", ("cards", 1000, 500_000)), ("digit_confidence", None),
                ("confidence", ("cards", 1000, 501_000))])
place = answer.get_output("digits").parameters
answers["place"] = [place["shared_memory_region"].string_param, place["shared_memory_byte_size"].int64_param,
                    place["shared_memory_offset"].int64_param]
answers["sent"] = [len(raw) for raw in answer.get_response().raw_output_contents]
digits = shm.get_contents_as_numpy(memory, np.object_, [8], offset=64 + 500_000)
confidence = shm.get_contents_as_numpy(memory, np.float32, [8], offset=64 + 501_000)
answers["outputs"] = [[element.decode() for element in digits], confidence.tolist(),
                      answer.as_numpy("digit_confidence").tolist()]
status = client.get_system_shared_memory_status(as_json=True)["regions"]
answers["status"] = status
answers["extensions"] = list(client.get_server_metadata().extensions)
client.unregister_system_shared_memory("cards")
answers["after"] = client.get_system_shared_memory_status(as_json=True)
del digits, confidence
print(json.dumps(answers))
"""
REFUSE = """
register = client.register_system_shared_memory
register("cards", key, SIZE)
blank = np.full((1, 32, 96), 255, np.uint8)
shm.set_shared_memory_region(memory, [blank, np.array([96])])
widths = ("widths", "INT64", [1], np.array([96]))

def read(place, outputs=()):
    return refused(infer, "meter-reader-pixels", [("pixels", "UINT8", [1, 32, 96], place), widths], outputs)

def twisted(change):
    message = oip.InferInput("pixels", [1, 32, 96], "UINT8").set_shared_memory("cards", 3072)
    change(message._get_tensor())
    second = tensor(oip.InferInput("widths", [1], "INT64"), widths[3])
    return refused(client.infer, "meter-reader-pixels", [message, second])

def string_size(message):
    message.parameters["shared_memory_byte_size"].string_param = "3072"

def number_for_a_name(message):
    message.parameters["shared_memory_region"].int64_param = 7

answers = {
    "right": read(("cards", 3072))[:1],
    "path": refused(register, "x", "../etc/passwd", 8),
    "no object": refused(register, "x", key + "x", 8),
    "object too small": refused(register, "x", key, SIZE + 1),
    "again": refused(register, "cards", key, 8),
    "no name": refused(register, "", key, 8),
    "no region": read(("card", 3072)),
    "beyond": read(("cards", 3072, SIZE - 3071)),
    "negative": read(("cards", 3072, -1)),
    "nothing": read(("cards", 0)),
    "too short": read(("cards", 3071)),
    "a string": twisted(string_size),
    "a number": twisted(number_for_a_name),
    "no size": twisted(lambda message: message.parameters.pop("shared_memory_byte_size")),
    "no region named": twisted(lambda message: message.parameters.pop("shared_memory_region")),
    "both": twisted(lambda message: message.contents.uint_contents.extend([255] * 3072)),
    "no place": read(("cards", 3072), [("digits", ("cards", 3, 8192))]),
    "answer elsewhere": read(("cards", 3072), [("digits", ("card", 100))]),
    "over another": read(("cards", 3072), [("digits", ("cards", 100)), ("confidence", ("cards", 100, 99))]),
    "unknown status": refused(client.get_system_shared_memory_status, "card"),
    "still right": read(("cards", 3072), [("digits", ("cards", 100, 8192))])[:1],
}
os.truncate(f"/dev/shm/{key}", 100) if sys.platform == "linux" else None
answers["shrunk"] = read(("cards", 3072))
os.truncate(f"/dev/shm/{key}", SIZE) if sys.platform == "linux" else None
for place in range(64):
    answers["too many"] = refused(register, f"more {place}", key, 8)
client.unregister_system_shared_memory()
large = shm.create_shared_memory_region("large", key + "-large", 13 * 2**20, create_only=True)
register("large", key + "-large", 13 * 2**20)
answers["too long"] = read(("large", 13 * 2**20))
client.unregister_system_shared_memory()
answers["unregistered"] = read(("large", 3072))
shm.destroy_shared_memory_region(large)
print(json.dumps(answers))
"""
REFUSED = {
    "path": ("INVALID_ARGUMENT", "key: the name of a POSIX shared memory object"),
    "no object": ("NOT_FOUND", "key: there is no shared memory object"),
    "object too small": ("INVALID_ARGUMENT", "byte_size: offset and byte_size end at 1,048,577"),
    "again": ("ALREADY_EXISTS", "name: 'cards' is registered"),
    "no name": ("INVALID_ARGUMENT", "name: a region's name has 1 to"),
    "no region": ("NOT_FOUND", "pixels.shared_memory_region: no region 'card' is registered"),
    "beyond": ("INVALID_ARGUMENT", "pixels.shared_memory_byte_size: its bytes must lie in the region"),
    "negative": ("INVALID_ARGUMENT", "pixels.shared_memory_byte_size: its bytes must lie"),
    "nothing": ("INVALID_ARGUMENT", "pixels.shared_memory_byte_size: its bytes must lie"),
    "too short": ("INVALID_ARGUMENT", "pixels: 3071 bytes do not fill the shape"),
    "a string": ("INVALID_ARGUMENT", "pixels.shared_memory_byte_size: must be a whole number"),
    "a number": ("INVALID_ARGUMENT", "pixels.shared_memory_region: must be a string"),
    "no size": ("INVALID_ARGUMENT", "pixels.shared_memory_byte_size: it is missing"),
    "no region named": ("INVALID_ARGUMENT", "pixels.shared_memory_region: it is missing"),
    "both": ("INVALID_ARGUMENT", "uint_contents is filled: its UINT8 belongs in shared memory"),
    "no place": ("INVALID_ARGUMENT", "digits: shared_memory_byte_size is 3, the tensor has"),
    "answer elsewhere": ("NOT_FOUND", "digits.shared_memory_region: no region 'card'"),
    "over another": ("INVALID_ARGUMENT", "confidence: its place in shared memory overlaps that of digits"),
    "unknown status": ("NOT_FOUND", "name: no region 'card'"),
    "shrunk": ("INVALID_ARGUMENT", "pixels: the shared memory object has shrunk"),
    "too many": ("RESOURCE_EXHAUSTED", "name: 64 regions are registered"),
    "too long": ("INVALID_ARGUMENT", "inputs: more than 12,582,912 bytes"),
    "unregistered": ("NOT_FOUND", "pixels.shared_memory_region: no region 'large'"),
}  # fmt: skip
OFF = """
words = [("cards", key, SIZE), ("cards",), ("cards",)]
calls = [client.register_system_shared_memory, client.get_system_shared_memory_status,
         client.unregister_system_shared_memory]
answers = [refused(call, *own) for call, own in zip(calls, words)]
answers.append(refused(infer, "meter-reader", [("pictures", "BYTES", [1], ("cards", 100))]))
print(json.dumps([answers, list(client.get_server_metadata().extensions)]))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return ensure("grpc")


def ask(python: Path, server: Server, program: str, folder: Path):
    key = f"fsdl-{secrets.token_hex(6)}"
    process = subprocess.run(
        [python, "-c", CLIENT + program + CLOSE, server.url.removeprefix("http://"), str(folder), key],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    assert not list(OBJECTS.glob(f"{key}*")), "the client's own object is still there"
    return json.loads(process.stdout)


@pytest.fixture(scope="module")
def server(python):
    command = [python, PROGRAM, "--port", "{port}", "--shared-memory"]
    with Server(command, ready=None, timeout=120) as server:
        yield server


def held(pid: int) -> list[str]:
    """The shared memory objects that a process holds open; empty where there is no /proc."""
    folder = Path(f"/proc/{pid}/fd")
    if not folder.exists():
        return []
    paths = [os.path.realpath(link) for link in folder.iterdir()]
    return [path for path in paths if path.startswith("/dev/shm/fsdl-")]


def test_the_readings_are_those_of_pictures_sent_as_bytes(python, server, tmp_path):
    images = [card.image for card in cards(8, seed=12)]
    for place, image in enumerate(images):
        (tmp_path / f"{place}.png").write_bytes(encode(image))
    pixels, widths = pad(images)
    np.savez(tmp_path / "pixels.npz", pixels=pixels, widths=widths)
    answers = ask(python, server, READ, tmp_path)
    digits = [reading.digits for reading in open_reader().read(images)]
    assert answers["bytes"][0] == digits
    for way in ("pictures", "pixels", "half", "outputs"):
        assert answers[way] == answers["bytes"], way
    size = sum(4 + len(text) for text in digits)
    assert answers["place"] == ["cards", size, 500_000]
    assert [bool(sent) for sent in answers["sent"]] == [False, True, False], "digits went over the socket too"
    (status,) = answers["status"].values()
    assert (status["name"], status["offset"], status["byte_size"]) == ("cards", "64", str(2**20 - 64))
    assert status["key"].startswith("fsdl-") and answers["after"] == {}
    assert answers["extensions"] == ["system_shared_memory"]
    until(lambda: held(server.pid) == [], what="the server's last descriptor to close")


def test_what_cannot_be_is_refused_with_a_code_and_the_field(python, server, tmp_path):
    answers = ask(python, server, REFUSE, tmp_path)
    assert answers.pop("right") == answers.pop("still right") == ["OK"]
    assert answers.keys() == REFUSED.keys()
    if sys.platform != "linux":
        answers.pop("shrunk")  # elsewhere an object keeps its size
    for name, (code, problem) in answers.items():
        assert code == REFUSED[name][0] and REFUSED[name][1] in problem, (name, code, problem)
    assert server.running
    until(lambda: held(server.pid) == [], what="the server's last descriptor to close")


def test_without_the_option_nothing_is_registered(python, tmp_path):
    with Server([python, PROGRAM, "--port", "{port}"], ready=None, timeout=120) as server:
        answers, extensions = ask(python, server, OFF, tmp_path)
        assert held(server.pid) == [] and extensions == []
    for code, problem in answers:
        assert code == "UNIMPLEMENTED" and "start it with --shared-memory" in problem


REGISTER = """
import sys
import tritonclient.grpc as oip

oip.InferenceServerClient(sys.argv[1]).register_system_shared_memory("cards", sys.argv[2], 8)
"""


def test_an_ending_server_leaves_the_object_to_its_maker(python):
    """Python's own SharedMemory is removed by the first process that attached to it and ends."""
    memory = SharedMemory(f"fsdl-{secrets.token_hex(6)}", create=True, size=8)
    try:
        with Server(
            [python, PROGRAM, "--port", "{port}", "--shared-memory"], ready=None, timeout=120
        ) as server:
            words = [server.url.removeprefix("http://"), memory.name]
            subprocess.run([python, "-c", REGISTER, *words], check=True, timeout=120)
            os.kill(server.pid, signal.SIGTERM)
            until(lambda: not server.running, what="the end of the server")
            assert "Traceback" not in server.log() and "leaked" not in server.log()
        again = SharedMemory(memory.name)  # FileNotFoundError where the server has removed it
        again.close()
    finally:
        memory.close()
        memory.unlink()


KEYS = """
answers = [refused(client.register_system_shared_memory, "cards", key, SIZE),
           refused(client.get_system_shared_memory_status)]
headers = {"authorization": "Bearer sesame"}
answers.append(refused(client.register_system_shared_memory, "cards", key, SIZE, headers=headers))
print(json.dumps([code for code, _ in answers]))
"""


def test_whoever_has_no_key_registers_nothing(python, tmp_path):
    command = [python, PROGRAM, "--port", "{port}", "--shared-memory"]
    with Server(command, ready=None, timeout=120, env={"FSDL_API_KEY": "sesame"}) as server:
        assert ask(python, server, KEYS, tmp_path) == ["UNAUTHENTICATED", "UNAUTHENTICATED", "OK"]
