"""Paraphrases: which of thousands of sentences means the same.

    python sims/memory/paraphrases.py --data ../shared/data

STS-B (Cer 2017) and MRPC (Dolan and Brockett 2005): the first sentences of all pairs are stored, and the second sentence of a pair that
means the same (STS-B: scored 4 or more) is the cue. It is right where the first answer, the cue's own copy left out, is its partner.
Prints a table with 95 % intervals and writes results/paraphrases.json. A data set that is not in the folder is left out.
"""

from recall_run import main

from spikemem.data.datasets import mrpc, stsb

if __name__ == "__main__":
    main(__doc__, [stsb, mrpc], "paraphrases.json")
