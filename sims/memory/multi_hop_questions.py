"""Questions that need several passages: HotpotQA and MuSiQue.

    python sims/memory/multi_hop_questions.py --data ../shared/data

HotpotQA (Yang 2018) and MuSiQue (Trivedi 2022) over the passages of HippoRAG (Gutiérrez 2024): recall@k is the share of a question's
supporting passages among the first k. Prints a table with 95 % intervals and writes results/multi_hop_questions.json. A data set that is
not in the folder is left out.
"""

from recall_run import main

from spikemem.data.datasets import hotpotqa, musique

if __name__ == "__main__":
    main(__doc__, [hotpotqa, musique], "multi_hop_questions.json")
