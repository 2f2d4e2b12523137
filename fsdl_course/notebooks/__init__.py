"""Notebooks: from their sources to what students open, the contract they keep, and executing all of them."""
