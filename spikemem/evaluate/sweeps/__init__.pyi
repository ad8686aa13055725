from .run import sweep
from .table import Table

__all__ = ["Table", "sweep"]
