"""Readers, servers and patterns: a folder for each step of the lecture, a small module for each concept.

Imports go downwards only: cards -> models -> reader -> service, prototype. Nothing heavy is
imported here, so ``import fsdl_deploy`` costs milliseconds; the names below load on first use.
"""

from importlib import import_module

_HOME = {
    "Card": "cards",
    "Customers": "customers",
    "OnnxReader": "reader",
    "Reader": "reading",
    "Reading": "reading",
    "RemoteReader": "remote",
    "open_reader": "reader",
    "Server": "running.servers",
    "TorchReader": "reader",
    "closed_loop": "measuring.load",
    "open_loop": "measuring.load",
}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"fsdl_deploy.{_HOME[name]}"), name)
    raise AttributeError(f"module 'fsdl_deploy' has no attribute {name!r}")
