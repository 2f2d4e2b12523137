"""Looks at this machine, for the doctor: each is a function that yields findings.

A look takes what it looks at as arguments, so that a test can hand it something broken. Standard library only
and no heavy import, so that they work where the environment is broken.
"""
