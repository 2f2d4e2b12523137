"""TorchServe: the reader behind its batches, its archives, bad pictures among good ones, and a clean end."""

import hashlib
import json
import subprocess
import zipfile
from contextlib import suppress

import httpx2
import psutil
import pytest
from packed import locked
from polling import until
from served import ask_together

from fsdl_course.serving import libraries
from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import machine
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations

LIBRARY = "torchserve"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ts")
    (folder / "meter-reader").mkdir()  # where the archiver of another server would be packing
    (folder / "meter-reader" / "SHA256SUMS").write_text("another's")
    return folder


@pytest.fixture(scope="module")
def server(library, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))  # of the server
        with library.server(max_batch=4, delay_ms=50) as server:
            yield server


def test_archives_are_packed_in_a_folder_of_its_own(server, folder):
    assert (folder / "meter-reader" / "SHA256SUMS").read_text() == "another's"


@pytest.fixture(scope="module")
def settings(server):
    """What stands in its log, the configuration."""
    return dict(line.split("=", 1) for line in server.log().splitlines() if line.count("=") == 1)


@pytest.fixture
def manager(settings):
    with httpx2.Client(base_url=settings["management_address"], trust_env=False, timeout=60) as manager:
        yield manager


@pytest.mark.thorough
def test_a_bad_picture_does_not_hurt_its_neighbours(client, library):
    images = [card.image for card in cards(20, "hard", seed=8)]
    pictures = [encode(image) for image in images]
    pictures[3:3] = [b"no picture"]
    pictures[11:11] = [pictures[0][:-200]]

    answers = ask_together(client, library, pictures)
    assert [place for place, answer in enumerate(answers) if answer.status_code == 422] == [3, 11]
    assert "not a picture" in answers[3].json()["detail"] and "damaged" in answers[11].json()["detail"]
    documents = [answer.json() for answer in answers if answer.status_code == 200]
    assert 2 <= max(document["batch"] for document in documents) <= 4
    for document, reading in zip(documents, open_reader().read(images), strict=True):
        assert document["digits"] == reading.digits
        assert document["confidence"] == pytest.approx(reading.confidence, rel=1e-5)


@pytest.mark.thorough
def test_bad_input_is_the_callers_fault(client, library):
    for body, kind in ((b"", "image/png"), (b"{}", "application/json"), (b"[", "text/plain")):
        answer = client.post(library.path, content=body, headers={"Content-Type": kind})
        assert answer.status_code == 422 and answer.json()["detail"], kind
    assert client.post(library.path, files={"body": ("card.png", b"no")}).status_code == 422
    assert client.post(library.path, content=b" " * 7_000_000).status_code == 413
    assert client.post("/predictions/other", content=b"").status_code == 404


@pytest.mark.thorough
def test_the_options_arrive(manager):
    (status,) = manager.get("/models/meter-reader").json()
    assert (status["batchSize"], status["maxBatchDelay"], len(status["workers"])) == (4, 50, 1)


def test_no_delay_is_not_the_default_of_100_ms(library):
    program = "import pathlib, serve; print(serve.configuration(pathlib.Path('x'), 1, 1, 0))"
    command = [stations.python("torchserve"), "-c", program]
    folder = stations.station("torchserve").folder
    text = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    models = next(line.split("=", 1)[1] for line in text.splitlines() if line.startswith("models="))
    assert json.loads(models)["meter-reader"]["2.0"]["maxBatchDelay"] == 1


@pytest.mark.thorough
def test_an_archive_holds_the_published_graph(settings, folder):
    (path,) = folder.glob("*/store/meter-reader-v2.mar")
    assert str(path.parent) == settings["model_store"]
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) >= {"MAR-INF/MANIFEST.json", "handler.py", "v2.onnx", weights.SUMS}
        graph = archive.read("v2.onnx")
    assert hashlib.sha256(graph).digest() == hashlib.sha256(weights.verified("v2.onnx")).digest()


@pytest.mark.thorough
def test_models_come_from_the_store_only(client, manager):
    card = next(cards(1, seed=3)).image
    new = {"url": "meter-reader-v1.mar", "initial_workers": 1, "synchronous": "true"}
    manager.post("/models", params=new).raise_for_status()
    document = client.post("/predictions/meter-reader/1.0", content=encode(card)).json()
    assert document["digits"] == open_reader("v1").read([card])[0].digits
    for url in ("http://127.0.0.1:9/x.mar", "file:///etc/hostname", "../config.properties"):
        assert manager.post("/models", params={"url": url}).status_code == 404
    manager.delete("/models/meter-reader/1.0").raise_for_status()


def alive(process):
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.thorough
def test_it_listens_on_this_machine_only_and_ends_with_all_it_made(server, folder):
    # Java and the worker; an unregistered model's worker takes a while to go.
    def two():
        family = [child for child in psutil.Process(server.pid).children(recursive=True) if alive(child)]
        return family if len(family) == 2 else None

    family = until(two, what="a family of two")
    listening = [socket.laddr.ip for process in family for socket in process.net_connections("inet")]
    assert len(listening) >= 5 and all(ip.removeprefix("::ffff:") == "127.0.0.1" for ip in listening)
    server.stop()
    assert not any(process.is_running() for process in family)
    assert [left.name for left in folder.iterdir()] == ["meter-reader"]


def test_without_java_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(machine, "java", lambda: None)
    library, messages = libraries.libraries()["torchserve"], []
    assert not library.possible(messages.append) and messages == [stations.NO_JAVA]
    with pytest.raises(stations.StationError, match=stations.NO_JAVA):
        library.server()


def test_torch_is_not_installed_twice():
    assert not any(package.startswith("torch=") for package in locked("torchserve"))
