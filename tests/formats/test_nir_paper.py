"""One LIF neuron of the NIR paper (Pedersen et al. 2024): what its eight readers published, here.

The graph is Norse's `lif_norse.nir`, the input 34 spikes at intervals drawn for the paper, the readers' spike times those of its repository
(neuromorphs/NIR, paper/01_lif, lif_*.csv). `sims/papers/nir.py` compares voltages, too, and runs the other graphs of the paper.
"""

import numpy as np
import pytest

from spikemem import from_nir, simulate

nir = pytest.importorskip("nir", reason="the reference extra is not installed")

INTERVALS = [60, 160, 50, 40, 10, 30]
"""Steps of .1 ms before the first input spikes."""
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
