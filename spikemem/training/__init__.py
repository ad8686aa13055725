"""Recipes: what is learned from which data with which loss, and how well; each goes through `spikemem.learn`."""
