"""Measuring: load, the machine, how good a reading is, and records of it."""
