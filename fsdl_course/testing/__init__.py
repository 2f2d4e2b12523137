"""Plugins of pytest: what a run leaves out, and the executed notebooks that it leaves behind."""
