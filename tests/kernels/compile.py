"""Compiles the kernels into numba's cache, before test workers start that would each do it: `python -m tests.kernels.compile`."""

import multiprocessing

import numpy as np
import torch

from spikemem import LIF, STDP, Hippocampus, Memory, Network, Population, load_model, simulate
from spikemem.learn.layers import SpikingLayer
from spikemem.network.synapses import all_to_all
from spikemem.spmn.cell import SpikingCell
from tests.fakes import FakeEmbedder

TEXTS = ["Ada lives in Lisbon", "The harbour opens at six", "Ada lives in Porto"]


def remembering() -> None:
    """What a hippocampus and a memory of texts run."""
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


def learning() -> None:
    """What plastic synapses, plain networks, spiking layers and the SPMN cell run."""
    net = Network()
    net.add(Population("a", 2, LIF()))
    net.connect("a", "a", all_to_all(0.5), plasticity=STDP(drift=0.01))
    simulate(net, {"a": np.full((4, 2), 0.6)}, 4)
    plain = Network()
    plain.add(Population("a", 2, LIF()))
    simulate(plain, {"a": [0.6]}, 4)
    for dtype in (torch.float32, torch.float64):
        SpikingLayer(2).to(dtype)(torch.ones(3, 1, 2, dtype=dtype, requires_grad=True)).sum().backward()
        for steps in (0, 8):
            cell = SpikingCell(12, 4, 2, 2, readers=1, steps=steps).to(dtype)
            present, asked = torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0, 2]])
            cell.story(torch.rand(1, 2, 12, dtype=dtype), present, asked).sum().backward()


def main() -> None:
    """Both at once, in two processes."""
    beside = multiprocessing.get_context("spawn").Process(target=learning)
    beside.start()
    remembering()
    beside.join()
    if beside.exitcode:
        raise SystemExit(beside.exitcode)


if __name__ == "__main__":
    main()
