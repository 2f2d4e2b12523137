"""A kernel of the course skips a tagged cell whose station cannot be had, with one sentence."""

import pytest
from jupyter_client.manager import KernelManager

from fsdl_course.notebooks.outputs import kernel_config


@pytest.fixture(scope="module")
def printed():
    """printed(code, tags): what a cell with these tags prints, sent as JupyterLab sends it."""
    manager = KernelManager(kernel_name="python3", config=kernel_config())
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=180)

    def run(code, *tags):
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": True}
        message = client.session.msg("execute_request", content, metadata={"tags": list(tags)})
        client.shell_channel.send(message)
        texts = []
        while True:
            answer = client.get_iopub_msg(timeout=120)
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if answer["content"].get("execution_state") == "idle":
                return "".join(texts)
            texts.append(answer["content"].get("text", "") or answer["content"].get("evalue", ""))

    run("%load_ext fsdl_course.notebooks.kernel")
    run("import os; os.environ['FSDL_STATIONS'] = 'built'")
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_station_that_cannot_be_had_skips_its_cells_only(printed):
    sentence = printed("print('ran')", "station:nonsense")
    assert sentence.startswith("Skipped. No station 'nonsense'") and sentence.count("\n") == 1
    assert "ran" not in sentence
    assert printed("print('ran')") == "ran\n"
    assert printed("print('ran')", "nbval-check-output") == "ran\n"


def test_a_station_that_is_there_is_used_at_once(printed):
    printed("import fsdl_course.notebooks.kernel as kernel; kernel.lack = lambda name: None")
    assert printed("print('ran')", "station:any") == "ran\n"
