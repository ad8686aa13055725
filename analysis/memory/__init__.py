"""Figures of `sims/memory`."""
