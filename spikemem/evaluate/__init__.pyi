from . import bench, bench_training, benchmarks, compare, compare_damage, compare_regions, retrieval, sweeps, validate
from .baselines import BM25, Cosine, Faiss, Neighbours, Sum, System
from .systems import MemorySystem, ablations, lesioned, silenced

__all__ = [
    "BM25",
    "Cosine",
    "Faiss",
    "MemorySystem",
    "Neighbours",
    "Sum",
    "System",
    "ablations",
    "bench",
    "bench_training",
    "benchmarks",
    "compare",
    "compare_damage",
    "compare_regions",
    "lesioned",
    "retrieval",
    "silenced",
    "sweeps",
    "validate",
]
