"""Measures of spike trains."""
