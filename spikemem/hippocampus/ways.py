"""The interface of a way of recalling, by index cells or by attempts, on which `Hippocampus` stands."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.hippocampus.holding import Holding, Target, Volley
from spikemem.hippocampus.recall import Completion, Recall
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording

BY_EVENTS: Target = ("event", "cpu")
"""Where a recall is simulated whose damage leaves no short cut."""


class Cycles(NamedTuple):
    """How long a recall by index cells takes.   theta: cycles in which answers spread.   settle, attention: gamma cycles."""

    theta: int
    settle: int
    attention: int


class Way(Protocol):
    """A way of recalling from a circuit. Cues come as volleys, and as the vectors, [n, d], that a simulation encodes anew."""

    @property
    def circuit(self) -> Holding: ...

    def recall(self, volley: Volley, vectors: NDArray[np.float32], top_k: int, cycles: Cycles, target: Target | None) -> Recall:
        """What cues recall, read from simulated spikes where there is a target, or where damage asks for it; else computed directly."""
        ...

    def reads(self, volley: Volley, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether the read gate lets out what cues recall, [n]."""
        ...

    def complete(self, codes: ArrayLike, settle: int) -> Completion:
        """Codes that are partly wrong, completed by CA3."""
        ...

    def chain(self, volley: Volley, vectors: NDArray[np.float32], hops: int, spreads: bool) -> NDArray[np.int64]:
        """The memories that follow those that cues recall, [n, hops].

        spreads: a chain that ends goes on by words; not under damage that is simulated.
        """
        ...

    def network(self) -> Network:
        """The circuit as it stands, but for its damage."""
        ...

    def networks(self) -> tuple[Network, ...]:
        """The networks that are simulated, in which there may be damage: of a recall, and of a chain."""
        ...

    def simulate_recall(
        self, vectors: NDArray[np.float32], cue_words: CueWords, cycles: Cycles, target: Target, record: dict[str, ArrayLike] | None
    ) -> Recording:
        """The spikes of a recall."""
        ...

    def simulate_chain(self, vectors: NDArray[np.float32], cue_words: CueWords, hops: int, target: Target) -> Recording:
        """The spikes of a chain."""
        ...

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        """The memories of a simulated chain, [n, hops]."""
        ...

    def contents(self, memories: NDArray[np.int64]) -> NDArray[np.integer]:
        """What EC would say of memories: n, [n, d]."""
        ...

    def density(self) -> tuple[float, float]:
        """How full CA3 is: the share of potentiated synapses, fast and slow."""
        ...

    def ca3_bytes(self) -> int:
        """Memory that CA3's synapses take, bytes."""
        ...
