"""The compiled kernels: the only rooms that know hardware."""
