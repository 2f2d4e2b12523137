"""Serving libraries, each started and asked in one way: how fast, and whether they answer the same."""
