"""The handler in the model archive: TorchServe's worker makes one ``MeterReader`` and gives it batches."""

import os
from pathlib import Path

from fsdl_deploy.picture import PictureError
from fsdl_deploy.reader import OnnxReader, read_encoded


class MeterReader:
    """One picture as the body of a request -> ``{"digits": …, "confidence": …, "batch": …}``.

    ``/predictions/meter-reader/2.0/ready`` answers once the model is there: ``/ping`` is healthy before.
    """

    def initialize(self, context) -> None:
        os.environ["FSDL_MODELS"] = context.system_properties["model_dir"]  # the archive, unpacked
        self.reader = OnnxReader(Path(context.manifest["model"]["serializedFile"]).stem)

    def handle(self, data: list[dict], context) -> list[dict]:
        """An exception here would refuse the whole batch; a status of its own refuses one request."""
        answers = read_encoded(self.reader, [bytes(request.get("body", b"")) for request in data])
        results = []
        for place, answer in enumerate(answers):
            context.set_response_content_type(place, "application/json")
            if context.get_request_header(place, "url_path") == "ready":
                results.append({"ready": True})
            elif isinstance(answer, PictureError):
                context.set_response_status(422, "Unprocessable Entity", place)
                results.append({"detail": str(answer)})
            else:
                reading = {"digits": answer.digits, "confidence": answer.confidence}
                results.append(reading | {"batch": len(data)})
        return results
