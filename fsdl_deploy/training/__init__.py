"""Training: the cards of a training, the networks' recipes, how good each model came out."""
