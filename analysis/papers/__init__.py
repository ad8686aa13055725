"""Figures of `sims/papers`."""
