"""Envoy as a load balancer: its configuration for a policy, as JSON, with the replicas in a file of their own

Envoy watches that file: whoever replaces it changes the replicas, and no connection is lost.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.running.ports import answer_at
from fsdl_deploy.scaling.policy import Policy

TITLE, STATION, PROGRAM = "Envoy", "envoy", "envoy/_bin/envoy*"
FILE, REPLICAS, ADMIN = "envoy.json", "replicas.json", "admin"
_TYPE = "type.googleapis.com/envoy."
_RETRY = {
    "unsent": "connect-failure,refused-stream",
    "all": "connect-failure,refused-stream,reset,retriable-status-codes",
}


def write(folder: Path, port: int, ports: Sequence[int], policy: Policy, generation: int) -> None:
    """Write the configuration and the list of replicas into ``folder``."""
    attempts = policy.attempts(len(ports))
    document = {
        "node": {"id": "course", "cluster": "course"},
        "admin": {"address": _address(0)},  # it writes into a file which port it got
        "static_resources": {
            "listeners": [_listener(port, policy, attempts)],
            "clusters": [_cluster(folder, policy)],
        },
    }
    (folder / FILE).write_text(json.dumps(document, indent=1), encoding="utf-8")
    endpoints = [{"endpoint": {"address": _address(replica)}} for replica in ports]
    assignment = {
        "@type": f"{_TYPE}config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": "reader",
        "endpoints": [{"lb_endpoints": endpoints}],
    }
    listed = {"version_info": str(generation), "resources": [assignment]}
    files.write(folder / REPLICAS, json.dumps(listed))  # replaced as a whole: Envoy looks for a move


def command(program: Path, folder: Path) -> list[str]:
    """The command line that starts it."""
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    return [str(program), "-c", str(folder / FILE), "--admin-address-path", str(folder / ADMIN), *options]


def reload_command(program: Path, folder: Path) -> list[str] | None:
    """None: Envoy sees by itself that the list of replicas was replaced."""
    return None


def settled(folder: Path, port: int, ports: Sequence[int], generation: int) -> bool:
    """Whether it knows the replicas that were written last."""
    admin = int((folder / ADMIN).read_text().rpartition(":")[2])
    document = json.loads(answer_at(admin, "/clusters?format=json"))
    hosts = [host for cluster in document["cluster_statuses"] for host in cluster.get("host_statuses", [])]
    return {host["address"]["socket_address"]["port_value"] for host in hosts} == set(ports)


def reason(log: str) -> str:
    """Why it did not start, out of its log."""
    lines = [line for line in log.splitlines() if "[critical]" in line or "error initializing" in line]
    return lines[-1].rpartition("] ")[2].partition("goo.gle/debug")[0].strip() if lines else ""


def _address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _listener(port: int, policy: Policy, attempts: int) -> dict:
    route = {"cluster": "reader"}
    if not policy.defaults:
        route["timeout"] = f"{attempts * policy.read_timeout:g}s"
    if not policy.defaults and policy.retry != "none":
        route["retry_policy"] = {
            "retry_on": _RETRY[policy.retry],
            "retriable_status_codes": [503],
            "num_retries": attempts - 1,
            "per_try_timeout": f"{policy.read_timeout:g}s",
            "host_selection_retry_max_attempts": 5,
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {
                        "@type": f"{_TYPE}extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                    },
                }
            ],
        }
    upstream = {
        "key": "x-upstream",
        "value": "%UPSTREAM_REMOTE_ADDRESS% attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    }
    routes = [
        {"match": {"path": "/balancer"}, "direct_response": {"status": 200}},
        {"match": {"prefix": "/"}, "route": route, "response_headers_to_add": [{"header": upstream}]},
    ]
    router = {"name": "router", "typed_config": {"@type": f"{_TYPE}extensions.filters.http.router.v3.Router"}}
    manager = {
        "@type": f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [router],
    }
    filters = [{"name": "http", "typed_config": manager}]
    return {"address": _address(port), "filter_chains": [{"filters": filters}]}


def _cluster(folder: Path, policy: Policy) -> dict:
    http = {
        "@type": f"{_TYPE}extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {} if policy.keep_alive else {"max_requests_per_connection": 1},
    }
    cluster = {
        "name": "reader",
        "type": "EDS",
        "eds_cluster_config": {"eds_config": {"path_config_source": {"path": str(folder / REPLICAS)}}},
    }
    if policy.defaults:
        return cluster
    cluster |= {
        "connect_timeout": f"{policy.connect_timeout:g}s",
        "ignore_health_on_host_removal": True,
        "lb_policy": "LEAST_REQUEST" if policy.choose == "least connections" else "ROUND_ROBIN",
        # By default three requests at most are repeated at a time, and the fourth gets a 503.
        "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http},
    }
    if policy.health != "none":  # if half of them are out or more, all are asked: its "panic threshold"
        cluster["outlier_detection"] = {
            "consecutive_5xx": 1,
            "interval": "0.25s",
            "base_ejection_time": f"{policy.leave_out:g}s",
            "max_ejection_time": f"{policy.leave_out:g}s",  # else each further time is longer
            "max_ejection_percent": 100,
        }
    if policy.health == "active":
        cluster["health_checks"] = [
            {
                "timeout": "1s",
                "interval": "0.5s",
                "unhealthy_threshold": 1,
                "healthy_threshold": 1,
                "http_health_check": {"path": "/readyz"},
            }
        ]
    return cluster
