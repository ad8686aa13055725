from . import demo, lab, report

__all__ = [
    "demo",
    "lab",
    "report",
]
