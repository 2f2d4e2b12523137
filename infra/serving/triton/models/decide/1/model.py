"""The second step: is the reading sure enough?"""

import json

import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args: dict) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        self.threshold = float(parameters["threshold"]["string_value"])

    def execute(self, requests: list) -> list:
        """One response each, in order."""
        responses = []
        for request in requests:
            confidence = triton.get_input_tensor_by_name(request, "confidence").as_numpy()
            by_hand = triton.Tensor("by_hand", confidence < self.threshold)
            responses.append(triton.InferenceResponse([by_hand]))
        return responses
