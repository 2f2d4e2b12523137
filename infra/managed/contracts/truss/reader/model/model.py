"""Our reader as Truss wants it, as a tutorial would write it: nothing about errors."""

import base64
from dataclasses import asdict

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


class Model:
    def __init__(self, **kwargs):
        pass

    def load(self):
        self.reader = OnnxReader()

    def predict(self, request):
        return asdict(self.reader.read([decode(base64.b64decode(request["picture"]))])[0])
