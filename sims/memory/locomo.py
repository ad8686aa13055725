"""Long conversations: which turns of a talk over months answer a question.

    python sims/memory/locomo.py --data ../shared/data

LoCoMo (Maharana 2024): each conversation is a memory of its own, its turns are stored, and a question counts where one of the turns that
it names as evidence, or one of their sessions, is among the first k. Questions without evidence are left out. Prints shares with 95 %
intervals, and by kind of question, and writes results/locomo.json.
"""

from recall_run import main

from spikemem.data.datasets import locomo

if __name__ == "__main__":
    main(__doc__, [locomo], "locomo.json")
