"""Measurements: spikes against rates, simulators against one another, a memory against vector search, and timings."""
