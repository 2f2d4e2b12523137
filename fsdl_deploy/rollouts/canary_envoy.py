"""Envoy in a rollout: its routes are in a file that it watches, so whoever replaces the file moves customers

A few lines of Lua give each request its buckets, by the hash of ``split``; a route takes a range of them.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.rollouts.canary_policy import LOG, CanaryPolicy
from fsdl_deploy.rollouts.split import buckets
from fsdl_deploy.running.ports import answer_at
from fsdl_deploy.scaling import envoy as plain

TITLE, STATION, PROGRAM, FILE = plain.TITLE, plain.STATION, plain.PROGRAM, plain.FILE
ROUTES = "routes.json"
reload_command, reason = plain.reload_command, plain.reason
_TYPE = "type.googleapis.com/envoy."
_LUA = """
local function times(a, b)  -- modulo 2^32: a double holds 53 bits, so in two halves
  return (bit.band(a, 0xffff) * b + bit.lshift(bit.band(bit.rshift(a, 16) * b, 0xffff), 16)) % 4294967296
end
local function bucket(key)  -- MurmurHash2, as nginx's split_clients has it
  local prime, value, whole = 0x5bd1e995, #key, #key - #key % 4
  for place = 1, whole, 4 do
    local a, b, c, d = key:byte(place, place + 3)
    local part = times(a + b * 256 + c * 65536 + d * 16777216, prime)
    part = times(bit.bxor(part, bit.rshift(part, 24)) % 4294967296, prime)
    value = bit.bxor(times(value, prime), part) % 4294967296
  end
  local rest = 0
  for place = #key, whole + 1, -1 do rest = rest * 256 + key:byte(place) end
  if whole < #key then value = times(bit.bxor(value, rest) % 4294967296, prime) end
  value = times(bit.bxor(value, bit.rshift(value, 13)) % 4294967296, prime)
  value = bit.bxor(value, bit.rshift(value, 15)) % 4294967296
  return tostring(math.floor(value * 10000 / 4294967296))
end
function envoy_on_request(handle)
  local headers = handle:headers()
  local request = headers:get("x-request-id") or ""
  local customer = headers:get("x-customer") or ""
  headers:replace("x-bucket-customer", bucket(customer == "" and request or customer))
  headers:replace("x-bucket-request", bucket(request))
  headers:replace("x-bucket-shadow", bucket("shadow " .. request))
  handle:clearRouteCache()
end
"""


def write(folder: Path, port: int, ports: Sequence[int], policy: CanaryPolicy, generation: object) -> None:
    """Write the configuration and its routes into ``folder``; ``ports``: of the stable version's replicas."""
    document = {
        "node": {"id": "course", "cluster": "course"},
        "admin": {"address": _address(0)},
        "static_resources": {
            "listeners": [_listener(folder, port)],
            "clusters": [
                _cluster("stable", [ports, ports], policy),
                _cluster("candidate", [policy.candidate, ports], policy),
                _cluster("candidate_unseen", [policy.candidate], policy),
            ],
        },
    }
    if not (folder / FILE).exists():  # the replicas stay for as long as it runs
        (folder / FILE).write_text(json.dumps(document, indent=1), encoding="utf-8")
    routes = {
        "@type": f"{_TYPE}config.route.v3.RouteConfiguration",
        "name": "rollout",
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": _routes(policy, generation)}],
        "request_headers_to_remove": ["x-bucket-customer", "x-bucket-request", "x-bucket-shadow"],
    }
    listed = {"version_info": str(generation), "resources": [routes]}
    files.write(folder / ROUTES, json.dumps(listed, indent=1))  # replaced as a whole: Envoy looks for a move


def command(program: Path, folder: Path) -> list[str]:
    """The command line that starts it: its log of requests must not lag behind by ten seconds."""
    return [*plain.command(program, folder), "--file-flush-interval-msec", "100"]


def settled(folder: Path, port: int, generation: object, waited: float) -> bool:
    """Whether it answers by the routes that were written last."""
    return answer_at(port, "/balancer") == str(generation).encode()


def _routes(policy: CanaryPolicy, generation: object) -> list[dict]:
    answer = {"status": 200, "body": {"inline_string": str(generation)}}
    routes = [{"name": "balancer", "match": {"path": "/balancer"}, "direct_response": answer}]
    if share := buckets(policy.share):
        unseen = "stable" if policy.reread else None
        routes.append(_route("candidate", f"x-bucket-{policy.by}", share, unseen, policy))
    if shadow := buckets(policy.shadow):
        routes.append(_route("stable", "x-bucket-shadow", shadow, "candidate", policy))
    return [*routes, _route("stable", "", 0, None, policy)]


def _route(arm: str, header: str, end: int, unseen: str | None, policy: CanaryPolicy) -> dict:
    """To ``arm``, if the number in ``header`` is below ``end``; ``unseen`` gets a copy."""
    match = {"prefix": "/"}
    if header:
        match["headers"] = [{"name": header, "range_match": {"start": "0", "end": str(end)}}]
    route = {"cluster": arm, "timeout": f"{2 * policy.read_timeout:g}s", "retry_policy": _retry(policy)}
    if unseen:
        cluster = "candidate_unseen" if unseen == "candidate" else "stable"
        route["request_mirror_policies"] = [{"cluster": cluster}]
    upstream = {
        "key": "x-upstream",
        "value": "%UPSTREAM_REMOTE_ADDRESS% attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    }
    name = f"{arm} {unseen or 'nobody'}"
    return {"name": name, "match": match, "route": route, "response_headers_to_add": [{"header": upstream}]}


def _retry(policy: CanaryPolicy) -> dict:
    return {
        "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
        "retriable_status_codes": [503],
        "num_retries": 3,
        "per_try_timeout": f"{policy.read_timeout:g}s",
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {
                "@type": f"{_TYPE}extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                "update_frequency": 1,
            },
        },
    }


def _cluster(name: str, priorities: Sequence[Sequence[int]], policy: CanaryPolicy) -> dict:
    places = [
        {
            "priority": priority,
            "lb_endpoints": [{"endpoint": {"address": _address(port)}} for port in ports],
        }
        for priority, ports in enumerate(priorities)
    ]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": f"{policy.connect_timeout:g}s",
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": {
            "thresholds": [{"max_retries": 1024}, {"priority": "HIGH", "max_retries": 1024}]
        },
        "load_assignment": {"cluster_name": name, "endpoints": places},
    }


def _address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _listener(folder: Path, port: int) -> dict:
    line = {
        "id": "%REQ(X-REQUEST-ID)%", "customer": "%REQ(X-CUSTOMER)%", "camera": "%REQ(X-CAMERA)%",
        "route": "%ROUTE_NAME%", "status": "%RESPONSE_CODE%", "milliseconds": "%DURATION%",
        "asked": "%UPSTREAM_REMOTE_ADDRESS%",
    }  # fmt: skip
    log = {
        "name": "log",
        "typed_config": {
            "@type": f"{_TYPE}extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(folder / LOG),
            "log_format": {"json_format": line},
        },
    }
    lua = {
        "@type": f"{_TYPE}extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": _LUA},
    }
    source = {"path_config_source": {"path": str(folder / ROUTES)}}
    manager = {
        "@type": f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "preserve_external_request_id": True,
        "access_log": [log],
        "rds": {"route_config_name": "rollout", "config_source": source},
        "http_filters": [
            {"name": "lua", "typed_config": lua},
            {"name": "router", "typed_config": {"@type": f"{_TYPE}extensions.filters.http.router.v3.Router"}},
        ],
    }
    filters = [{"name": "http", "typed_config": manager}]
    return {"address": _address(port), "filter_chains": [{"filters": filters}]}
