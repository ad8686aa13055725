from . import babi, ec, gates, slots, spmn, write_similarity

__all__ = [
    "babi",
    "ec",
    "gates",
    "slots",
    "spmn",
    "write_similarity",
]
