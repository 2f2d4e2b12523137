# %% [markdown]
# # Streamlit: a page that is a script
#
# **Minutes:** 10 · **Prerequisites:** [The prototype](../01_prototype.ipynb) · **Truth:** runs
#
# ## The need
#
# The billing team likes the Gradio page, and now wants more around it: choose a card, photograph one, correct
# the answer, see last month's figures. That is a small application, and one function with an input and an
# output is no longer its shape.
#
# ## You will learn
#
# - how Streamlit turns a script into a page, and what it runs at each click
# - why the model must be cached, measured
# - how to test such a page without a browser
# - when to choose it, and when not

# %% [markdown]
# ## Where the model sits
#
# In the web server, as in every prototype. Streamlit keeps a connection to each browser, runs the script
# again at each click, and sends what changed.
#
# ```mermaid
# sequenceDiagram
#     participant Browser
#     participant Streamlit as Streamlit server
#     participant Model as Reader (cached)
#     Browser->>Streamlit: a click
#     Streamlit->>Streamlit: run app.py from top to bottom
#     Streamlit->>Model: read(image)
#     Model-->>Streamlit: Reading
#     Streamlit-->>Browser: what changed
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Streamlit brings half a gigabyte of packages, so it lives in an environment of its own, a *station*,
# described by two files. `stations.ensure` builds it if that has not been done, and returns its
# interpreter. There is no torch in it: the model is an ONNX file.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

station_python = ensure("streamlit")
station = stations.station("streamlit")
print(station.purpose)
print((station.folder / "requirements.in").read_text())

# %% [markdown]
# ## The smallest real use
#
# A page of ten lines. There is no function to register and no event to connect: what the script says is on
# the page, in that order, and a widget's value is a variable.

# %%
import tempfile
from pathlib import Path

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
smallest_app = Path(workplace.name) / "app.py"
smallest_app.write_text("""
import streamlit as st
from fsdl_deploy import open_reader
from fsdl_deploy.picture import decode

st.title("Read a card")
if file := st.file_uploader("A picture of a card"):
    reading = open_reader().read([decode(file.getvalue())])[0]
    st.metric("Reading", reading.digits, f"{reading.confidence:.0%} sure", delta_color="off")
""")
print(len(smallest_app.read_text().split("\n")), "lines")

# %% [markdown]
# The server listens on this machine only. Its questions (an e-mail address at the first start, usage
# statistics, a watcher of files) are turned off by options, and `/_stcore/health` says when it is ready.

# %%
import time

from IPython.display import IFrame

from fsdl_deploy import Server

options = ["--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", "{port}"]
options += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]


def serve(app):
    command = [station_python, "-m", "streamlit", "run", app, *options]
    return Server(command, ready="/_stcore/health", cwd=ROOT)


started = time.perf_counter()
smallest = serve(smallest_app).start()
print(f"ready after {time.perf_counter() - started:.1f} s, {smallest.memory() / 2**20:.0f} MiB")
IFrame(smallest.url + "?embed=true", width="100%", height=320)

# %% [markdown]
# ## Every click runs the script again
#
# That makes pages simple and has one consequence: whatever is slow runs again at each click, unless it is
# kept. `st.cache_resource` keeps one object for all users. We count, with Streamlit's own test tool, how
# often a "model" is loaded in three runs of a page, without and with the cache.

# %%
import subprocess

counting_script = '''
from streamlit.testing.v1 import AppTest

page = """
import streamlit as st
def load_model():
    with open("loads.txt", "a") as file: file.write("x")
CALL()
"""
for name, call in {"plain": "load_model", "cached": "st.cache_resource(load_model)"}.items():
    open("loads.txt", "w").close()
    test = AppTest.from_string(page.replace("CALL", call))
    for _ in range(3): test.run()
    print(f"{name}: {len(open('loads.txt').read())} loads in 3 runs")
'''

# %% [markdown]
# The test tool runs the script without server and browser, in the station's interpreter.

# %% tags=["nbval-check-output"]
result = subprocess.run(
    [station_python, "-c", counting_script],
    capture_output=True,
    text=True,
    check=True,
    cwd=smallest_app.parent,
)
print(result.stdout)

# %% [markdown]
# ## The page of the course
#
# `infra/prototype/streamlit/app.py` is the meter reader with examples, upload, camera, confidence and
# feedback. The reader is cached, a bad picture and a service that is down are sentences.
#
# **Try it:** Choose another card. Which lines of the script ran again?

# %%
course_page = serve(ROOT / "infra" / "prototype" / "streamlit" / "app.py").start()
IFrame(course_page.url + "?embed=true", width="100%", height=700)

# %% [markdown]
# What one click costs: the test tool chooses another card, and the whole script runs. The first run also
# loads the model, those after it do not.

# %%
clicking_script = """
import sys, time
from streamlit.testing.v1 import AppTest

def timed(step):
    start = time.perf_counter(); step(); return 1000 * (time.perf_counter() - start)

page = AppTest.from_file(sys.argv[1], default_timeout=60)
times = [timed(page.run)]
times += [timed(page.selectbox[0].select_index(place % 4).run) for place in range(1, 9)]
print(*times)
"""
command = [station_python, "-c", clicking_script, ROOT / "infra" / "prototype" / "streamlit" / "app.py"]
result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
first, *later = map(float, result.stdout.split())
print(f"first run {first:.0f} ms, a click {sorted(later)[len(later) // 2]:.0f} ms")

# %% [markdown]
# ## When it fails
#
# - **No API.** Other programs cannot call a Streamlit page; a Gradio page they can. The next cell asks.
# - **No drawing.** There is no sketchpad in Streamlit itself, only in components of third parties.
# - **The whole script, each time.** A page with ten slow steps does all ten, unless each is cached.
# - **One process.** As with every prototype, model and page share memory, cores and restarts; the
#   [lesson](../01_prototype.ipynb#When-it-fails) measures that.

# %%
import httpx2

from fsdl_deploy.measuring.table import Table

rows = []
for path in ("/read", "/api/predict", "/openapi.json"):
    answer = httpx2.get(course_page.url + path)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    says = "the page again" if "<html" in answer.text else answer.text[:40]
    rows.append([path, answer.status_code, kind, says])
Table(["path", "status", "type", "answer"], *rows)

# %% [markdown]
# ## Questions
#
# **Question:** You add a line that books the reading, right below the line that reads the card. What happens
# when the user sends a correction?
#
# <details><summary>Answer</summary>
# The card is booked again. Each click runs the script from the top, and that line with it. Put the booking
# behind a button of its own, as the page of the course does with the correction, and make it harmless to
# repeat.
# </details>
#
# **Question:** `st.cache_resource` keeps one object for all users, and that made the page quick. What must
# never go into it?
#
# <details><summary>Answer</summary>
# What belongs to one user: the chosen card, a correction, a login. The next user would get it. The reader may
# be shared because it remembers nothing about whoever asked.
# </details>

# %% [markdown]
# ## Take-aways
#
# - The page is a script; a widget is a variable; each click runs everything again.
# - `st.cache_resource` for the model, always.
# - Choose Streamlit for a small application with several inputs, tables and charts. Choose Gradio when one
#   model is to be tried by many, drawn on, or called by a program.
# - Both are prototypes: when users come, [separate model and page](../03_service.ipynb).
#
# ## Where to go next
#
# - [The prototype](../01_prototype.ipynb) compares both and measures where they fail.
# - [The model service](../03_service.ipynb) puts the model in a process of its own.
