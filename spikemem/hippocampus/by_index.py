"""How a hippocampus with index cells in CA1 recalls: in one competition, then by attention (`recall`, `chain`)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.hippocampus import chain
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.gating import judged, read_share
from spikemem.hippocampus.holding import Target, Volley
from spikemem.hippocampus.recall import Completion, Recall, answer, simulate
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.gates import MAJORITY, GateCells
from spikemem.hippocampus.regions.rhythm import RecallSchedule, chain_protocol
from spikemem.hippocampus.ways import BY_EVENTS, Cycles
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording


@dataclass(frozen=True, eq=False)
class ByIndex:
    """Recall by index cells, with the gates that a model may have (see `ways.Way`)."""

    circuit: Circuit
    gates: GateCells | None

    def recall(self, volley: Volley, vectors: NDArray[np.float32], top_k: int, cycles: Cycles, target: Target | None) -> Recall:
        schedule = RecallSchedule(cycles.settle, cycles.attention, self.passes(cycles.theta))
        if target is None and not self.circuit.damage:
            found = answer(self.circuit, volley, top_k, schedule)
        else:
            found = simulate(self.circuit, volley, vectors, top_k, schedule, target or BY_EVENTS)
            found = found if target else replace(found, recording=None)
        if self.gates is None:
            return found
        verdicts = judged(self.circuit, self.gates, volley, vectors, target)
        spikes = tuple(v.recording for v in verdicts if v is not None and v.recording is not None)
        return replace(found, read=np.array([read_share(v) for v in verdicts]), gates=spikes)

    def reads(self, volley: Volley, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        if self.gates is None:
            return np.ones(len(vectors), bool)
        return np.array([read_share(v) > MAJORITY for v in judged(self.circuit, self.gates, volley, vectors, None)], bool)

    def passes(self, cycles: int) -> int:
        """Theta cycles that make a difference: one, where an answer has nothing that it could prime."""
        spec, ca1 = self.circuit.spec, self.circuit.ca1
        spreads = spec.lex is not None and spec.ca1.spreading > 0 and len(ca1)
        return cycles if spreads and (self.circuit.associations or len(ca1.synapses.apical_memory)) else 1

    def complete(self, codes: ArrayLike, settle: int) -> Completion:
        return chain.complete(self.circuit, codes, settle)

    def chain(self, volley: Volley, vectors: NDArray[np.float32], hops: int, spreads: bool) -> NDArray[np.int64]:
        if self.circuit.damage and len(self.circuit.ca1):
            return self.read_chain(self.simulate_chain(vectors, volley.cue_words, hops, BY_EVENTS))
        return chain.recall_chain(self.circuit, volley, hops, spreads and self.passes(2) > 1)

    def network(self) -> Network:
        net = self.circuit.network()
        if self.gates is not None:
            self.gates.build(net, self.circuit.ca1, self.circuit.seed)
        return net

    def networks(self) -> tuple[Network, ...]:
        return (self.circuit.network(),)

    def simulate_recall(
        self, vectors: NDArray[np.float32], cue_words: CueWords, cycles: Cycles, target: Target, record: dict[str, ArrayLike] | None
    ) -> Recording:
        passes, (simulator, device) = self.passes(cycles.theta), target
        protocol = RecallSchedule(cycles.settle, cycles.attention, passes).protocol
        return self.circuit.simulate(protocol, vectors, cue_words, passes=passes, simulator=simulator, device=device, record=record)

    def simulate_chain(self, vectors: NDArray[np.float32], cue_words: CueWords, hops: int, target: Target) -> Recording:
        return self.circuit.simulate(chain_protocol(hops), vectors, cue_words, simulator=target[0], device=target[1])

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        return self.circuit.ca1.owners(self.circuit.read_chain(recording))

    def contents(self, memories: NDArray[np.int64]) -> NDArray[np.integer]:
        return self.circuit.ca1.counts[self.circuit.contents[memories]]

    def density(self) -> tuple[float, float]:
        return self.circuit.ca3.density()

    def ca3_bytes(self) -> int:
        return self.circuit.ca3.nbytes
