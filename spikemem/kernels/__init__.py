"""The rooms that know hardware: `cpu` (numba, event-driven) and `batched` (torch, CPU or CUDA)."""
