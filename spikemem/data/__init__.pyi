from . import corpus
from .datasets import DATASETS, PAIRS, SentencePair, Task, banking77, hotpotqa, locomo, longmemeval, mrpc, musique, pairs, stsb
from .stories import TASKS, Story, StoryQuestion, babi

__all__ = [
    "DATASETS",
    "PAIRS",
    "TASKS",
    "SentencePair",
    "Story",
    "StoryQuestion",
    "Task",
    "babi",
    "banking77",
    "corpus",
    "hotpotqa",
    "locomo",
    "longmemeval",
    "mrpc",
    "musique",
    "pairs",
    "stsb",
]
