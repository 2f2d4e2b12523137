"""In which precision OpenVINO computes here if nobody says: ``precision.py ARTIFACT`` prints JSON"""

import json
import os
import sys

os.environ["OPENVINO_TELEMETRY_DISABLE"] = "1"

import openvino


def main() -> None:
    core = openvino.Core()
    model = core.compile_model(sys.argv[1], "CPU")
    answer = {
        "chosen": model.get_property("INFERENCE_PRECISION_HINT").to_string(),
        "possible": sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
