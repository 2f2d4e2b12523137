"""Packaging: the exported model, whether it says the same everywhere, and containers."""
