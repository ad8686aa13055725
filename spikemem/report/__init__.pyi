from . import demo, report

__all__ = [
    "demo",
    "report",
]
