"""Readers, servers and patterns: a folder for each step of the lecture, a small module for each concept.

The names below are those that lessons, labs and their scripts import from here: readers, servers, a load
meter. Nothing heavy is imported, so ``import fsdl_deploy`` costs milliseconds; each name loads on first use.
"""

from importlib import import_module

_HOME = {
    "Customers": "customers",
    "OnnxReader": "reader",
    "RemoteReader": "remote",
    "Server": "running.servers",
    "TorchReader": "reader",
    "closed_loop": "measuring.load",
    "course_server": "running.course_servers",
    "open_loop": "measuring.load",
    "open_reader": "reader",
}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"fsdl_deploy.{_HOME[name]}"), name)
    raise AttributeError(f"module 'fsdl_deploy' has no attribute {name!r}")
