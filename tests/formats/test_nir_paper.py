"""One LIF neuron of the NIR paper (Pedersen et al. 2024): what its eight readers published, here.

The graph is Norse's `lif_norse.nir`, the input 34 spikes at intervals drawn for the paper, the readers' spike times those of its repository
(neuromorphs/NIR, paper/01_lif, lif_*.csv). `sims/papers/nir_readers.py` compares voltages, too, and runs the other graphs of the paper.
"""

import numpy as np
import pytest

from spikemem import from_nir, simulate

nir = pytest.importorskip("nir", reason="the reference extra is not installed")

INPUT = [60, 220, 270, 310, 320, 350, 370, 400, 410, *range(430, 540, 10), *range(670, 790, 10), 840, 850]
"""Steps of .1 ms at which the input spikes."""
READERS = {
    "Lava": [461, 511, 711, 761],
    "Nengo": [460, 510, 710, 760],
    "Norse": [460, 510, 710, 760],
    "Rockpool": [450, 500, 710, 760],
    "Sinabs": [450, 500, 710, 760],
    "snnTorch": [460, 510, 710, 760],
    "SpiNNaker2": [460, 510, 710, 760],
    "Spyx": [461, 511, 711, 761],
}


def test_the_spikes_are_those_of_most_readers_and_within_a_step_or_ten_of_all() -> None:
    cell = nir.LIF(**{name: np.full(1, value) for name, value in {"tau": 0.0025, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.1}.items()})
    graph = nir.NIRGraph.from_list(nir.Affine(np.ones((1, 1)), np.zeros(1)), cell)
    spikes = np.zeros((1001, 1), bool)
    spikes[INPUT] = True
    ours = simulate(from_nir(graph, dt=0.1), {"input": spikes}, 1001)["lif"].step - 1  # the projection takes a step
    assert len(INPUT) == 34
    assert sum(ours.tolist() == theirs for theirs in READERS.values()) == 4
    spread = np.array([*READERS.values()])
    assert (spread.min(0) <= ours).all()
    assert (ours <= spread.max(0)).all()
