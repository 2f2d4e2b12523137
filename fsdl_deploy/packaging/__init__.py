"""Packaging: the exported model, whether it answers the same everywhere, images and containers."""
