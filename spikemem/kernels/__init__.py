"""Compiled kernels (numba): inner loops over plain arrays."""
