"""Figures of `sims/learning`."""
