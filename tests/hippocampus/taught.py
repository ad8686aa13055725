"""Storing by simulated plasticity beside storing by assignment, at full number: weights, ids and latencies.

    python -m tests.hippocampus.taught --memories 200

Stores the same memories in `hippocampus-engram-small` three times: at once, by the store protocol in the event-driven simulator, and in
Brian2; compares every synapse, and recalls a tenth of them by noisy cues, in Brian2 five. Brian2 takes some four minutes.
"""

import argparse

import numpy as np
from rich.progress import track

from spikemem import Hippocampus
from tests.fakes import engram_small, near, units
from tests.hippocampus.test_teaching import same

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--memories", type=int, default=200)
PART = 10


def stored(vectors: np.ndarray, record: bool, simulator: str) -> Hippocampus:
    """A memory of these vectors, stored part by part."""
    made = Hippocampus(engram_small())
    for start in track(range(0, len(vectors), PART), f"{simulator if record else 'at once'}:"):
        made.store(vectors[start : start + PART], record=record, simulator=simulator)
    return made


def main() -> None:
    args = parser.parse_args()
    vectors = units(args.memories)
    fast, event, brian2 = (stored(vectors, *way) for way in ((False, "event"), (True, "event"), (True, "brian2")))
    same(fast, event)
    same(fast, brian2)
    print(f"{args.memories} memories: every synapse is equal")
    cues = near(vectors[::10], 0.7)
    expected = fast.recall(cues, top_k=3)
    for made, simulator, some in ((event, "event", len(cues)), (brian2, "brian2", 5)):
        found = made.recall(cues[:some], top_k=3, record=True, simulator=simulator)
        np.testing.assert_array_equal(found.ids, expected.ids[:some])
        np.testing.assert_array_equal(found.latency, expected.latency[:some])
        print(f"{simulator}: ids and latencies of {some} recalls are equal")


if __name__ == "__main__":
    main()
