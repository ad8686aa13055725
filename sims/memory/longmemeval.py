"""A chat assistant's memory: which of many sessions answer a question.

    python sims/memory/longmemeval.py --data ../shared/data

LongMemEval (Wu 2025): each haystack of sessions is a memory of its own, its turns are stored, and a session stands where its best turn
does. Recall@k is the share of a question's answer sessions among the first k. Questions to abstain from are left out, as in the paper.
Prints a table with 95 % intervals and writes results/longmemeval.json.
"""

from recall_run import main

from spikemem.data.datasets import longmemeval

if __name__ == "__main__":
    main(__doc__, [longmemeval], "longmemeval.json")
