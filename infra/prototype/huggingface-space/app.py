"""The Space: the meter reader's page over the ONNX model that lies beside this file."""

import os
from pathlib import Path

from fsdl_deploy.picture import decode
from fsdl_deploy.prototype import gradio_page
from fsdl_deploy.reader import open_reader

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.png"))

if __name__ == "__main__":
    page = gradio_page.build(open_reader(), examples=[decode(path.read_bytes()) for path in EXAMPLES])
    # The host sets these two: in a container the page must answer to the outside of it.
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    url = gradio_page.launch(page, port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")), host=host)
    print(f"The meter reader is at {url}", flush=True)
    page.block_thread()
