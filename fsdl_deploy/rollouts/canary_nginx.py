"""nginx in a rollout: ``split_clients`` chooses who answers, ``mirror`` who reads unseen; a reload moves

nginx keeps a client's connection until the copy of its request is read, and the next request would wait.
So it ends the connection after each request that was copied, and gives a copy UNSEEN seconds.
"""

from collections.abc import Sequence
from pathlib import Path

import psutil

from fsdl_deploy import files
from fsdl_deploy.rollouts.canary_policy import LOG, CanaryPolicy
from fsdl_deploy.rollouts.split import buckets
from fsdl_deploy.running.ports import answer_at
from fsdl_deploy.scaling import nginx as plain

TITLE, STATION, PROGRAM, FILE = plain.TITLE, plain.STATION, plain.PROGRAM, plain.FILE
command, reload_command, reason = plain.command, plain.reload_command, plain.reason
LEAVING = 2  # seconds that old workers may need for requests under way; a slow upload may take a minute
UNSEEN = 2  # seconds that a copy may take: a hung version would have all connections soon
_FRAME = """\
worker_processes 1; worker_shutdown_timeout 60s; daemon off; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  map $http_x_request_id $id {{ "" $request_id; default $http_x_request_id; }}
  map $http_x_customer $customer {{ "" $id; default $http_x_customer; }}
  split_clients ${by} $arm {{ {share} * stable; }}
  split_clients "shadow $id" $unseen {{ {shadow} * nobody; }}
  map $arm $other {{ candidate {reread}; default $unseen; }}  # who reads the same card, unseen
  map $request_uri $is_reading {{ /balancer 0; default 1; }}
  log_format rollout escape=json '{{"id": "$id", "customer": "$http_x_customer", '
    '"camera": "$http_x_camera", "arm": "$arm", "other": "$other", "status": "$status", '
    '"seconds": "$request_time", "asked": "$upstream_addr"}}';
  access_log {log} rollout if=$is_reading;
  client_max_body_size 16m; client_body_buffer_size 1m;
  client_body_temp_path body; proxy_temp_path proxy;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Request-Id $id;
  proxy_connect_timeout {connect}ms; proxy_read_timeout {read}ms;
  proxy_next_upstream error timeout http_503 non_idempotent;
  upstream stable {{ least_conn; {stable} {last} keepalive 32; keepalive_timeout 20s; }}
  upstream candidate {{ least_conn; {candidate} {fallback} keepalive 32; keepalive_timeout 20s; }}
  upstream candidate_unseen {{ {candidate} keepalive 32; keepalive_timeout 20s; }}
  upstream stable_unseen {{ {stable} keepalive 32; keepalive_timeout 20s; }}
  server {{
    listen 127.0.0.1:{port};
    location = /balancer {{ return 200 "{generation}"; }}  # which configuration answers
    location = /unseen {{
      internal;
      if ($other = nobody) {{ return 204; }}
      proxy_next_upstream off; proxy_pass http://${{other}}_unseen$request_uri;
      proxy_connect_timeout 200ms; proxy_read_timeout {unseen}s; proxy_ignore_client_abort on;
    }}
    error_page 418 = @copied;
    location / {{
      if ($other != nobody) {{ return 418; }}
      proxy_pass http://$arm;
      add_header x-upstream $upstream_addr always;  # "a, b": a gave no answer, b did
    }}
    location @copied {{
      mirror /unseen; keepalive_timeout 0; proxy_pass http://$arm;
      add_header x-upstream $upstream_addr always;  # "a, b": a gave no answer, b did
    }}
  }}
}}
"""


def write(folder: Path, port: int, ports: Sequence[int], policy: CanaryPolicy, generation: object) -> None:
    """Write nginx.conf into ``folder``; ``ports``: of the stable version's replicas."""
    text = _FRAME.format(
        by=policy.by if policy.by == "customer" else "id",
        share=_part(policy.share),
        shadow=_part(policy.shadow),
        reread="stable" if policy.reread else "nobody",
        log=LOG,
        connect=round(1000 * policy.connect_timeout),
        read=round(1000 * policy.read_timeout),
        stable=_servers(ports, f"max_fails=1 fail_timeout={policy.leave_out:g}s"),
        last=_servers(ports, "backup max_fails=0"),
        candidate=_servers(policy.candidate, f"max_fails=1 fail_timeout={policy.leave_out:g}s"),
        fallback=_servers(ports, "backup max_fails=0"),
        port=port,
        generation=generation,
        unseen=UNSEEN,
    )
    files.write(folder / FILE, text)


def settled(folder: Path, port: int, generation: object, waited: float) -> bool:
    """Whether it answers by the configuration that was written last, and old workers have had their time."""
    if answer_at(port, "/balancer") != str(generation).encode():
        return False
    master = psutil.Process(int((folder / "nginx.pid").read_text()))
    return waited > LEAVING or len(master.children()) == 1


def _part(share: float) -> str:
    return f"{100 * share:.2f}% candidate;" if buckets(share) else ""


def _servers(ports: Sequence[int], how: str) -> str:
    return " ".join(f"server 127.0.0.1:{port} {how};" for port in ports)
