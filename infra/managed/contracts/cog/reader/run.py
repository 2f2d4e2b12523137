"""Our reader as Cog's runner, as a tutorial would write it."""

from cog import BaseRunner, Input, Path

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


class Runner(BaseRunner):
    def setup(self) -> None:
        self.reader = OnnxReader()

    def run(self, picture: Path = Input(description="a meter card")) -> str:  # noqa: B008
        return self.reader.read([decode(picture.read_bytes())])[0].digits
