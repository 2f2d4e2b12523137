"""Batch prediction: last night's cards in, a prediction each in a table, and whether last night happened."""
