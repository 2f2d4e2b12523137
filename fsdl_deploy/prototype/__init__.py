"""Prototype: a page around a reader, and what its users say of the readings."""
