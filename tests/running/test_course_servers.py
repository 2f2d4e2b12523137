"""The course's own servers are started in one way."""

import pytest

from fsdl_deploy.cli import COMMANDS
from fsdl_deploy.running.course_servers import READY, course_server


def test_it_is_the_command_on_a_free_port_with_its_question():
    server = course_server("lookup", "--store", "readings.db", timeout=7)
    assert server.command[1:] == [
        "-m", "fsdl_deploy.cli", "lookup", "--port", "{port}", "--store", "readings.db",
    ]  # fmt: skip
    assert (server.ready, server.timeout) == ("/healthz", 7)
    assert repr(server) == "Server 'fsdl-deploy lookup': not running"
    assert course_server("serve", name="our service").name == "our service"


def test_each_is_a_command():
    assert READY.keys() <= COMMANDS.keys()


def test_a_command_that_serves_nothing_is_refused():
    with pytest.raises(ValueError, match="these are prototype, serve, lookup"):
        course_server("score")
