"""Compiles the slow kernels into numba's cache, before test workers start that would each do it: `python -m tests.kernels.compile`."""

import numpy as np

from spikemem import Hippocampus, Memory, load_model
from tests.fakes import FakeEmbedder

TEXTS = ["Ada lives in Lisbon", "The harbour opens at six", "Ada lives in Porto"]


def main() -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 384))
    hippocampus = Hippocampus(load_model("hippocampus-small"))
    ids = hippocampus.store(vectors)
    hippocampus.associate(ids[:-1], ids[1:])
    hippocampus.recall(vectors, 2, attention_cycles=2)
    hippocampus.recall_chain(vectors, 1)
    hippocampus.simulate_recall(vectors[0])
    for model in ("hippocampus-small", "hippocampus-text"):
        with Memory.open(None, model, embedder=FakeEmbedder()) as memory:
            memory.store_all(TEXTS)
            memory.recall("Where does Ada live?", 2)
            memory.consolidate()


if __name__ == "__main__":
    main()
