"""Customers' questions: which of 77 intents is meant.

    python sims/memory/banking77.py --data ../shared/data

BANKING77 (Casanueva 2020): the training questions are stored, those of the test are cues, and an answer is right where the best memory has
the cue's intent. Prints the accuracy with its 95 % interval and writes results/banking77.json.
"""

from recall_run import main

from spikemem.data.datasets import banking77

if __name__ == "__main__":
    main(__doc__, [banking77], "banking77.json")
