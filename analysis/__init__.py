"""One script for each figure, reading what `sims/` wrote."""
