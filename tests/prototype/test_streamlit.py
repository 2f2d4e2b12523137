"""The Streamlit page, run by the station's own interpreter: AppTest for its script, HTTP for its server."""

import json
import os
import subprocess
from pathlib import Path

import httpx2
import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.ports import free_port
from fsdl_deploy.running.servers import Server

APP = ROOT / "infra" / "prototype" / "streamlit" / "app.py"
STREAMLIT = ["--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", "{port}"]
STREAMLIT += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]

SCRIPT = """
import json, sys
from streamlit.testing.v1 import AppTest

page = AppTest.from_file(sys.argv[1], default_timeout=60).run()
seen = {"exceptions": len(page.exception), "errors": [box.value for box in page.error],
        "metrics": [[box.label, box.value] for box in page.metric],
        "captions": [box.value for box in page.caption]}
if page.metric:
    page.selectbox[0].select_index(2).run()
    seen["third"] = page.metric[0].value
    page.text_input[0].input("it says 1234")
    page.button[0].click().run()
    seen["thanks"] = [box.value for box in page.success]
    page.button_group[0].set_value("Upload").run()
    seen["info"] = [box.value for box in page.info]
    seen["exceptions"] += len(page.exception)
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return ensure("streamlit")


def run_page(python, folder, **env) -> dict:
    """What a user sees after a few clicks; the page keeps its feedback below ``folder``."""
    process = subprocess.run(
        [python, "-c", SCRIPT, APP],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


def test_page_reads_examples_and_keeps_feedback(python, tmp_path):
    from fsdl_deploy.picture import decode
    from fsdl_deploy.reader import open_reader

    seen = run_page(python, tmp_path)
    assert seen["exceptions"] == 0 and seen["errors"] == []
    examples = [decode(path.read_bytes()) for path in sorted((APP.parent / "examples").glob("*.png"))]
    here = [reading.digits for reading in open_reader().read(examples)]
    # The same ONNX file in another environment gives the same answer.
    assert seen["metrics"][0] == ["Reading", here[0]]
    assert "".join(value for _, value in seen["metrics"][1:]) == here[0]
    assert seen["third"] == here[2]
    assert "model v2" in seen["captions"][0]
    assert seen["thanks"] and "Choose a picture" in seen["info"][0]
    line = json.loads((tmp_path / "build" / "feedback" / "feedback.jsonl").read_text())
    assert line["says"] == "it says 1234" and line["read"] == here[2]


def test_page_says_that_the_service_is_down(python, tmp_path):
    seen = run_page(python, tmp_path, READER_URL=f"http://127.0.0.1:{free_port()}")
    assert seen["exceptions"] == 0 and seen["metrics"] == []
    assert "The model service does not answer" in seen["errors"][0]


def test_server_is_ready_and_stops(python, tmp_path):
    with Server(
        [python, "-m", "streamlit", "run", APP, *STREAMLIT], ready="/_stcore/health", cwd=tmp_path
    ) as server:
        page = httpx2.get(server.url)
        assert page.status_code == 200 and "<script" in page.text
    assert not server.running
