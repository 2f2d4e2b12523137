"""Packaging, as its lesson shows it: two environments, wrong files, wrong translations, with their tables."""
