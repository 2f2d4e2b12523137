"""Breaks *recovery*: it knows no SIGTERM, so it dies in the middle of its cards, with a status that says so.

In a cluster this is every update, every move to another machine, every night.
"""

import signal

import service

signal.signal = lambda *_: None
service.main()
