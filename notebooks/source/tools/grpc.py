# %% [markdown]
# # gRPC: calls instead of requests
#
# **Minutes:** 20 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The billing program will ask the model service ten thousand times a night, from the same data center. Its
# team would rather call a function than write JSON, and hopes that it is faster.
#
# ## You will learn
#
# - what gRPC adds to HTTP: a contract in a file, messages as bytes, code made from both
# - how the Open Inference Protocol looks over gRPC, with its health and its reflection
# - what is gained against REST, in bytes, latency and throughput, measured side by side
# - what shared memory gains when both programs run on one machine, and for which pictures
# - how errors look, what is lost, and when to choose it

# %% [markdown]
# ## Where the model sits
#
# In a server of its own, as with REST. The contract is a file (`.proto`), from which the client's functions
# and the server's skeleton are generated, in a dozen languages.
#
# ```mermaid
# flowchart LR
#     proto["service and messages<br/>(.proto)"] -.-> stub & skeleton
#     subgraph client ["Billing program"]
#         call["stub.ModelInfer(request)"] --> stub["generated stub"]
#     end
#     subgraph server ["Model service"]
#         skeleton["generated skeleton"] --> model(["the Reader"])
#     end
#     stub <-- "protocol buffers<br/>over HTTP/2" --> skeleton
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# The standard's messages come as generated code inside NVIDIA's client, which wants older versions of some
# packages than the core has. So client and server live in an environment of their own.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("grpc")
station = stations.station("grpc")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The server
#
# The calls are in `infra/service/grpc/inference.py`; `server.py` beside it starts and ends. Each call of the
# protocol is a method; the model behind it, with its threads and its limits, is the one of the REST service.
# This is the call that reads.

# %%
from IPython.display import Code

program = (station.folder / "inference.py").read_text()
start = program.index("    async def ModelInfer")
Code(program[start : program.index("    def _known")], language="python")

# %% [markdown]
# It starts like every server of this course. Beside it runs the REST service, with the same model.

# %%

from fsdl_deploy import Server, course_server

command = [station_python, station.folder / "server.py", "--port", "{port}"]
over_grpc = Server(command, ready=None, name="gRPC").start()
over_rest = course_server("serve", name="REST").start()
address = over_grpc.url.removeprefix("http://")
print(over_grpc, over_rest)

# %% [markdown]
# ## Who are you?
#
# A gRPC server can be asked what it offers (**reflection**) and whether it is well (**health**): both are
# standard services, so a tool that has never heard of meter cards can ask. The messages say what they hold.

# %%
ask_standard = """
import sys, grpc
from grpc_health.v1 import health_pb2 as health, health_pb2_grpc
from grpc_reflection.v1alpha import proto_reflection_descriptor_database as reflection
channel = grpc.insecure_channel(sys.argv[1])
status = health_pb2_grpc.HealthStub(channel).Check(health.HealthCheckRequest()).status
print("health:", health.HealthCheckResponse.ServingStatus.Name(status))
database = reflection.ProtoReflectionDescriptorDatabase(channel)
for name in sorted(database.get_services()):
    print("service", name)
file = database.FindFileContainingSymbol("inference.ModelInferRequest")
message = next(one for one in file.message_type if one.name == "ModelInferRequest")
print("a request holds:", ", ".join(field.name for field in message.field))
"""

# %% [markdown]
# Nothing in this program is about our server, except its address.

# %% tags=["nbval-check-output"]
import subprocess


def in_station(*words):
    return subprocess.run([station_python, *words], capture_output=True, text=True, check=True).stdout


print(in_station("-c", ask_standard, address))

# %% [markdown]
# ## One call
#
# Twenty cards as files.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
deck = list(cards(20, seed=4))
for place, card in enumerate(deck):
    (Path(workplace.name) / f"{place:02}.png").write_bytes(encode(card.image))

# %% [markdown]
# A client of six lines. The picture goes as bytes: no base64.

# %% tags=["nbval-check-output"]
call = """
import sys, numpy, tritonclient.grpc as oip
client = oip.InferenceServerClient(sys.argv[1])
card = oip.InferInput("pictures", [1], "BYTES")
card.set_data_from_numpy(numpy.array([open(sys.argv[2], "rb").read()], object))
answer = client.infer("meter-reader", [card])
print(answer.as_numpy("digits")[0].decode(), f"{answer.as_numpy('confidence')[0]:.2f}")
"""
print(in_station("-c", call, address, f"{workplace.name}/00.png"), "truth", deck[0].truth)

# %% [markdown]
# ## Is it faster?
#
# `compare.py` asks both servers from one program, in turns: the protocol over REST with JSON, over REST with
# binary tensors, and over gRPC. First one card a request, then sixteen; then four users at once.

# %%
import json

turns = 30 if FAST else 600
rest_address = over_rest.url.removeprefix("http://")
words = [station.folder / "compare.py", rest_address, address, workplace.name, str(turns)]
comparison = json.loads(in_station(*words))
ways = comparison["ways"]
print("the same digits from all three:", comparison["same"])

# %% [markdown]
# Bytes of a request, time to the answer (median), and requests a second of four users.

# %%
import numpy as np

from fsdl_deploy.measuring.table import Table

rows = []
for name, way in ways.items():
    sizes, times = way["bytes"], {count: np.median(ms) for count, ms in way["ms"].items()}
    rows.append([name, sizes["1"], sizes["16"], times["1"], times["16"], way["per second"]])
header = ["", "bytes, 1 card", "bytes, 16", "ms, 1 card", "ms, 16", "requests/s"]
Table(header, *rows, formats=["", ",", ",", ".1f", ".1f", ".0f"])

# %% [markdown]
# All times, not only the median. Where the curves run together, nobody will feel the difference.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3))
for name, color in zip(ways, figures.PALETTE, strict=False):
    ms = np.sort(ways[name]["ms"]["1"])
    axes.plot(ms, np.arange(1, len(ms) + 1) / len(ms), color=color, label=name)
axes.set(xlabel="time to the answer, one card (ms)", ylabel="share of the calls", xlim=(0, None))
axes.legend()
figures.show(figure, alt="Distribution of the time to an answer over REST with JSON, REST with bytes, gRPC")
ratio = np.median(ways["REST, JSON"]["ms"]["1"]) / np.median(ways["gRPC"]["ms"]["1"])
print(f"REST with JSON takes {ratio:.2f} times as long as gRPC for one card")

# %% [markdown]
# The gain in bytes is base64's third, and REST with binary tensors has it too. What gRPC saves in time
# depends on the two web servers more than on the protocol: here the model and the decoding of the picture are
# the larger part of each call.
#
# ## On one machine: shared memory
#
# When the billing program runs beside the server, the picture need not pass through a socket at all. Triton's
# extension of the protocol has three more calls: a client *registers* a **region** of POSIX shared memory
# under a name, and from then on a request carries the tensor's place in it. Our server takes part with
# `--shared-memory`. This is a client's preparation, with NVIDIA's library: a region with one picture in it.

# %%
prepare = """
import os, sys, numpy, tritonclient.grpc as oip
from tritonclient.utils import serialize_byte_tensor, shared_memory
client = oip.InferenceServerClient(sys.argv[1])
picture = numpy.array([open(sys.argv[2], "rb").read()], object)
packed = numpy.frombuffer(serialize_byte_tensor(picture).item(), numpy.uint8)
key = f"cards-{os.getpid()}"
region = shared_memory.create_shared_memory_region("cards", key, packed.size)
shared_memory.set_shared_memory_region(region, [packed])
client.register_system_shared_memory("cards", key, packed.size)
"""

# %% [markdown]
# The request has no picture in it. A place that reaches one byte beyond the region is refused, and so is one
# in a region that is not registered any more. The object stays the client's, and the client removes it.

# %%
by_place = """
card = oip.InferInput("pictures", [1], "BYTES")
def read(size):
    card.set_shared_memory("cards", size)
    try:
        print(client.infer("meter-reader", [card]).as_numpy("digits")[0].decode())
    except oip.InferenceServerException as error:
        print(error.status(), "|", error.message())
read(packed.size), read(packed.size + 1)
client.unregister_system_shared_memory("cards")
read(packed.size)
shared_memory.destroy_shared_memory_region(region)
"""

# %% [markdown]
# `shared.py` then sends the same tensors both ways, in turns: a card as a PNG, sixteen cards as pixels,
# and one card as large as from a scanner, as pixels. The time by place has the client's own copy into
# the region in it. Windows has no POSIX shared memory, so there nothing is measured.

# %%
import os

sharing_command, shared = [*over_grpc.command, "--shared-memory"], {}
if os.name == "posix":
    with Server(sharing_command, ready=None, name="gRPC") as sharing:
        place = sharing.url.removeprefix("http://")
        print(in_station("-c", prepare + by_place, place, f"{workplace.name}/00.png"))
        words = [station.folder / "shared.py", place, workplace.name, str(turns // 3)]
        shared = json.loads(in_station(*words))
    print("the same digits both ways:", all(load["same"] for load in shared.values()))

# %% [markdown]
# Bytes of both messages, request and answer, that go through the socket; the median time of a call; and the
# rate by place as a multiple of the rate as bytes.

# %%
rows = []
for name, load in shared.items():
    sizes, ms = load["sizes"], {way: np.median(times) for way, times in load["ms"].items()}
    gain = ms["bytes"] / ms["place"]
    rows.append([name, sizes["bytes"], sizes["place"], ms["bytes"], ms["place"], gain])
header = ["", "bytes", "bytes, by place", "ms", "ms, by place", "rate, by place / as bytes"]
Table(header, *rows, formats=["", ",", ",", ".1f", ".1f", ".2f"])

# %% [markdown]
# Nearly all bytes are gone from the socket in every row. Whether that pays is another question. We count a
# gain below a tenth as none: so much the machine's other work may change.

# %%
for name, *_, gain in rows:
    print(f"{name}: {'pays' if gain >= 1.1 else 'does not pay'} ({gain:.2f} times the rate)")

# %% [markdown]
# A few kB cross a loopback socket in far less time than a reading takes, so for cards as customers send them
# there is little to gain. Megabytes of pixels are another matter: gRPC copies them into a message, sends it
# through the socket in frames, joins these and takes the tensor out again. By place there is one copy into
# the region and one out of it. The server makes that second copy because a client could change a picture
# after its size was checked.
#
# It has a price. Every client must make a region, register it, leave it as it is until the answer is there,
# unregister and remove it. All callers of a server share the names. A caller can also have the server read
# and overwrite any shared memory object of the server's own user. So it is off by default and asks for the
# server's key. For callers behind a proxy it is of no use: their memory is on another machine.
#
# ## When it fails
#
# A bad call ends with a *status code* of gRPC's own, not of HTTP, and a sentence.

# %% tags=["nbval-check-output"]
refused = """
import sys, numpy, tritonclient.grpc as oip
client = oip.InferenceServerClient(sys.argv[1])
for model, data in (("meter-reader", b"no picture"), ("another", b"")):
    card = oip.InferInput("pictures", [1], "BYTES")
    card.set_data_from_numpy(numpy.array([data], object))
    try:
        client.infer(model, [card])
    except oip.InferenceServerException as error:
        print(error.status(), "|", error.message()[:70])
"""
print(in_station("-c", refused, address))

# %% [markdown]
# The server can ask for a key, as over REST: where `FSDL_API_KEY` is set, a call that runs the model must
# bring it as *metadata*, gRPC's headers. And whoever names a version that is not here gets no other one.

# %% tags=["nbval-check-output"]
with_a_key = """
import sys, numpy, tritonclient.grpc as oip
client = oip.InferenceServerClient(sys.argv[1])
card = oip.InferInput("pictures", [1], "BYTES")
card.set_data_from_numpy(numpy.array([open(sys.argv[2], "rb").read()], object))
for key, version in (("guess", "v2"), ("sesame", "v9"), ("sesame", "v2")):
    try:
        answer = client.infer("meter-reader", [card], version, headers={"authorization": f"Bearer {key}"})
        print("OK |", answer.as_numpy("digits")[0].decode())
    except oip.InferenceServerException as error:
        print(error.status(), "|", error.message())
"""
with Server(over_grpc.command, ready=None, env={"FSDL_API_KEY": "sesame"}, name="gRPC") as locked:
    print(in_station("-c", with_a_key, locked.url.removeprefix("http://"), f"{workplace.name}/00.png"))

# %% [markdown]
# And what every HTTP tool can do with the REST service, it cannot do here.

# %%
import httpx2

try:
    answer = httpx2.get(over_grpc.url, timeout=5)
    print(answer.status_code)
except httpx2.HTTPError as error:
    print(f"httpx2.get: {type(error).__name__}: {error}")

# %% [markdown]
# - **No browser, no curl.** A page needs a proxy (gRPC-Web); a person needs a tool such as `grpcurl`.
# - **One long connection.** A balancer that counts connections sends all calls of a client to one replica:
#   it must understand HTTP/2.
# - **Code is generated.** Client and server must agree on the `.proto`; a new field is harmless, a changed
#   one is not.
#
# **GraphQL**, the third that the lecture names, lets a client choose the fields of an answer from a graph of
# things: [it has a notebook of its own](graphql.ipynb).

# %%
over_rest.stop()
over_grpc.stop()
print(over_grpc, over_rest)

# %% [markdown]
# ## Questions
#
# **Question:** Three replicas stand behind a balancer that counts connections. The billing program now asks
# by gRPC. How are its ten thousand calls shared out?
#
# <details><summary>Answer</summary>
# Hardly at all. The client keeps one connection for all its calls, so one replica may get everything while
# two are idle. The balancer has to look into HTTP/2 and share out calls, or the client has to spread them
# over the replicas itself.
# </details>
#
# **Question:** Cards are PNGs of some kB. Which is worth more, shared memory or a faster reader?
#
# <details><summary>Answer</summary>
# The faster reader. The socket's share of such a call is small, as the first row of the table on shared
# memory shows. It is another matter for pictures that come as megabytes of pixels.
# </details>
#
# **Question:** A client crashes before it has unregistered its region. Who still has the memory, and what
# follows for the other callers?
#
# <details><summary>Answer</summary>
# The server, until somebody unregisters the name or the server ends. All callers share the names, so this
# one is taken until then. The object itself belongs to the client, and no server may remove it.
# </details>

# %% [markdown]
# ## Take-aways
#
# - gRPC: a contract in a file, generated code, messages as bytes over HTTP/2. Health and reflection are
#   standard.
# - Against REST it saves base64 and some parsing. With a model behind it, measure before you move.
# - On one machine, shared memory takes the bytes off the socket. Measure whether that pays for your pictures.
# - The Open Inference Protocol exists over both, so a client can change its mind.
# - Choose gRPC between services of one company that call often; REST where browsers, partners and people ask.
#
# ## Where to go next
#
# - [The model service](../03_service.ipynb): the same protocol over REST, beside the clouds' formats.
