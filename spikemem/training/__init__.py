"""Recipes: what a model is trained on, by which loss, and how it is judged on what it has not seen."""
