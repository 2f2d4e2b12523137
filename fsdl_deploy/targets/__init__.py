"""Targets of the edge: the same reader, built for another runtime, and asked the same cards.

A target is a folder in ``infra/edge`` with ``target.toml``, ``build.py`` (makes its files) and ``read.py``
(reads cards with them), both run by the Python of its station. *Converts is not runs*: a conversion that
passes proves nothing until cards are read on the target.
"""
