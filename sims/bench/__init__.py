"""Timings, side by side."""
