"""Alertmanager for as long as a ``with`` lasts, which sends what it has to say to a pager of ours

Prometheus notices, Alertmanager decides who hears of it: it puts alerts together, keeps quiet about what
another alert explains, repeats what lasts. Its routes are those of ``infra/monitoring/prometheus``.
"""

from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.monitoring.pager import Pager
from fsdl_deploy.monitoring.prometheus import FOLDER, program, quicker
from fsdl_deploy.running.homed import HomedServer
from fsdl_deploy.running.servers import Server

TEMPLATES = b"/usr/share/prometheus/alertmanager"  # where Debian's looks for its own texts


def unpacked() -> Path:
    """Alertmanager as it runs out of a package that was unpacked elsewhere; start it in that folder.

    Debian's has the path of its texts inside: this copy has it without the first slash, and one at the end.
    """
    original = program("prometheus-alertmanager")
    copy = original.with_name("alertmanager-unpacked")
    if not copy.exists():
        files.write(copy, original.read_bytes().replace(TEMPLATES, TEMPLATES[1:] + b"/"))
    copy.chmod(0o755)
    return copy


class Alertmanager(HomedServer):
    """``with Alertmanager(pager) as manager: Prometheus(…, alertmanager=manager.port)``.

    ``speed``: as Prometheus has it. Raises ServerError with its log if it does not start.
    """

    def __init__(self, pager: Pager, *, speed: float = 1):
        self.pager, self.speed = pager, speed

    def open(self) -> None:
        words = [unpacked(), "--web.listen-address=127.0.0.1:{port}"]
        words += ["--cluster.listen-address=", "--log.level=warn"]  # alone: else it listens to the network
        cwd = words[0].parents[2]
        file = self.home("alertmanager") / "alertmanager.yml"
        text = (FOLDER / "alertmanager.yml").read_text(encoding="utf-8")
        text = text.replace("http://pager:8080", self.pager.url)
        file.write_text(quicker(text, self.speed), encoding="utf-8")
        words += [f"--config.file={file}", f"--storage.path={file.parent / 'data'}"]
        self._server = Server(words, "/-/ready", name="Alertmanager", cwd=cwd, grace=5).start()
