"""Optimization: the ladder, a technique a rung, and what each is worth."""
