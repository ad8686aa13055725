"""The hippocampus as a memory: recall, capacity, noise, gates, and its cells in detail."""
