"""Starts SageMaker's inference toolkit as its images do, but for this machine only: loopback, an own folder

``start.py FOLDER``. The toolkit's own start listens on every interface, writes into /etc, and refuses to run
beside another one: here the toolkit writes the same configuration, and its model server is started with it.
"""

import os
import sys
from pathlib import Path

from mms import model_server as multi_model_server
from sagemaker_inference import environment, model_server


def main(folder: Path) -> None:
    """Runs until the model server ends."""
    written = model_server._generate_mms_config_properties(
        environment.Environment(), model_server.DEFAULT_HANDLER_SERVICE
    )
    config = folder / "mms.properties"
    config.write_text(written.replace("0.0.0.0", "127.0.0.1"))
    model_server._set_python_path()
    sys.argv = [
        "multi-model-server",
        "--start",
        "--foreground",
        *("--model-store", "/"),
        *("--mms-config", str(config)),
        *("--log-config", model_server.DEFAULT_MMS_LOG_FILE),
        *("--models", f"{model_server.DEFAULT_MMS_MODEL_NAME}={environment.model_dir}"),
    ]
    os.chdir(folder)
    multi_model_server.start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
