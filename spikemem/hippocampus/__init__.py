"""The hippocampus: its regions, wired into one circuit that stores and recalls vectors, and the rate model that it is compared with."""
