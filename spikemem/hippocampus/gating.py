"""Running the gates: CA1 answers an event or a cue, the mismatch drives the gates, and they decide, simulated or computed directly."""

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.circuit import Circuit, run
from spikemem.hippocampus.holding import Target, Volley
from spikemem.hippocampus.regions import gates
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.difference import Difference
from spikemem.hippocampus.regions.gate_phases import START
from spikemem.hippocampus.regions.gates import GateCells, Mismatch, Verdict
from spikemem.hippocampus.regions.rhythm import RECALL_SETTLE
from spikemem.network.graph import Network

Differ = Callable[[int], Difference | None]
"""How the wording of an event differs from that of a key, given by its number; None where either has none. It changes nothing."""


def answered(circuit: Circuit, volley: Volley) -> NDArray[np.int64]:
    """The index cell that fires first to each cue by meaning alone (the perforant path), [n]; NONE where none does."""
    if not len(circuit.ca1):
        return np.full(len(volley.counts), NONE)
    active, size, _ = circuit.ca3.complete(volley.codes, volley.when, RECALL_SETTLE)
    return circuit.ca1.nearest(volley.counts, active, size, volley.cue_words.silenced)


def mismatch(circuit: Circuit, volley: Volley, differ: Differ | None = None) -> tuple[int, Mismatch]:
    """The index cell that answers one cue, and how the cue differs from what that cell has learned; from nothing where none answers."""
    key = int(answered(circuit, volley)[0])
    return key, gates.mismatch(volley.counts[0], volley.cue_words.words[0], circuit.ca1, key, told(differ, key))


def told(differ: Differ | None, key: int) -> Difference | None:
    """The difference of an event's wording from a key's, where there is one."""
    return None if differ is None or key == NONE else differ(key)


def noise_seed(circuit: Circuit, volley: Volley, key: int) -> int:
    """The seed of the gates' noise, which follows from the event and the key that answers it alone, whatever else is stored."""
    entropy = [circuit.seed, int(volley.names()[0]), zlib.crc32(circuit.ca1.counts[key].tobytes())]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)


def judge(
    circuit: Circuit, trained: GateCells, volley: Volley, vectors: NDArray[np.float32], target: Target | None, differ: Differ | None = None
) -> Verdict | None:
    """The gates' verdict on one event or cue (n = 1); None where no memory answers it.

    target: None computes it without simulation.   differ: of an event that has a wording.
    """
    key = int(answered(circuit, volley)[0])
    if key == NONE:
        return None
    seed, difference = noise_seed(circuit, volley, key), told(differ, key)
    if target is None:
        seen = gates.mismatch(volley.counts[0], volley.cue_words.words[0], circuit.ca1, key, difference)
        return trained.judge(key, seen, seed)
    recording = run(*gated(circuit, trained, vectors, volley.cue_words, seed, difference), len(gates.PROTOCOL), *target)
    return replace(trained.read(recording, circuit.ca1.lexicon), recording=recording)


def judged(
    circuit: Circuit, trained: GateCells, volley: Volley, vectors: NDArray[np.float32], target: Target | None
) -> list[Verdict | None]:
    """The gates' verdicts on cues, one at a time."""
    rows = (np.array([i]) for i in range(len(vectors)))
    return [judge(circuit, trained, volley.some(row), vectors[row], target) for row in rows]


def read_share(verdict: Verdict | None) -> float:
    """The share of the read gate's cells that fired; 0 where no memory answered. Over a half, what the cue recalls is read out."""
    return 0.0 if verdict is None else verdict.shares["read"]


def gated(
    circuit: Circuit,
    trained: GateCells,
    vectors: NDArray[np.float32],
    cue_words: CueWords,
    seed: int,
    difference: Difference | None = None,
) -> tuple[Network, dict[str, NDArray[np.generic]]]:
    """The circuit with its gates, and its stimulus: a recall whose words come only after its answer, then the gates.

    seed: of the gates' noise.   difference: of an event's wording from that of the memory that answers it.
    """
    net = circuit.network(slow=False, silences=cue_words.silenced is not None)
    trained.build(net, circuit.ca1, seed)
    stimulus = circuit.stimulus(gates.PROTOCOL, vectors, cue_words) | trained.stimulus(difference, vectors.shape[1])
    stimulus["ec_lex"] = stimulus["ec_lex"].copy()
    stimulus["ec_lex"][:START] = False
    return net, stimulus
