"""An event or a cue at the gates: CA1 answers it, what it brings is compared with the answer, and SPMN's gates decide, in spikes or by
short cut."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numba import get_num_threads, set_num_threads
from numpy.typing import NDArray

from spikemem.hippocampus.circuit import Circuit, Volley, run
from spikemem.hippocampus.regions import gates
from spikemem.hippocampus.regions.ca1 import CA1, NONE
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.gates import Action as Action
from spikemem.hippocampus.regions.gates import GateCells, Mismatch, Verdict
from spikemem.hippocampus.regions.rhythm import RECALL_SETTLE
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording


@contextmanager
def one_thread() -> Iterator[None]:
    """The kernels in a single thread: on one event at a time others have nothing to do, and waiting for them takes longer than the work."""
    threads = get_num_threads()
    set_num_threads(1)
    try:
        yield
    finally:
        set_num_threads(threads)


def answered(circuit: Circuit, volley: Volley) -> NDArray[np.int64]:
    """The index cell that answers each cue by meaning alone, [n]; NONE where none does."""
    if not len(circuit.ca1):
        return np.full(len(volley.counts), NONE)
    active, size, _ = circuit.ca3.complete(volley.codes, volley.when, RECALL_SETTLE)
    return circuit.ca1.nearest(volley.counts, active, size)


def mismatch(circuit: Circuit, volley: Volley) -> tuple[int, Mismatch]:
    """The index cell that answers one cue, and the mismatch with it; everything is new where none answers."""
    key = int(answered(circuit, volley)[0])
    return key, gates.mismatch(volley.counts[0], volley.cue_words.words[0], circuit.ca1, key)


def add_missing_keys(
    circuit: Circuit, memory: int, content: int, counts: NDArray[np.int8], heard: Sequence[Words] | None, cue: NDArray[np.bool_]
) -> tuple[int, ...]:
    """Give a memory, whose content is a key, those of further keys that it lacks, each volley [n, d] once; returns which."""
    ca1 = circuit.ca1
    known = {row.tobytes() for row in ca1.counts[(ca1.memory == memory) & ca1.alive]}
    first = {row.tobytes(): i for i, row in reversed(list(enumerate(counts)))}
    lacks = sorted(i for row, i in first.items() if row not in known)
    if lacks:
        owner, words = np.full(len(lacks), memory), None if heard is None or circuit.spec.lex is None else [heard[i] for i in lacks]
        codes = circuit.dg.codes(counts[lacks])[0]
        ca1.add(counts[lacks], codes, owner, np.full(len(lacks), content), words, cue[lacks])
    return tuple(lacks)


def cues_of(ca1: CA1, memory: int) -> tuple[NDArray[np.int8], list[Words]]:
    """The volleys [n, d] and the words of a memory's cues that are not its text, nor that in other words."""
    keys, cue_words = np.flatnonzero((ca1.memory == memory) & ca1.alive & ca1.lexicon.cue), ca1.lexicon
    parts = [slice(cue_words.ptr[k], cue_words.ptr[k + 1]) for k in keys]
    return ca1.counts[keys], [Words(cue_words.cell[p], cue_words.spikes[p], cue_words.whole[p]) for p in parts]


def noise_seed(circuit: Circuit, volley: Volley, key: int) -> int:
    """The seed of the gates' noise: of its own for each event and each key that answers, whatever else is stored."""
    words = [circuit.seed, int(volley.names()[0]), zlib.crc32(circuit.ca1.counts[key].tobytes())]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of an event.

    memory: the one that holds it now.   old: the one that answered it, which an overwriting has forgotten; NONE where none did.
    added: which of its keys were stored (content, cue where a target is given, variants).   verdict: of the gates, None where no memory
    answered.   recording: their spikes, where asked for.
    """

    action: Action
    memory: int
    old: int
    added: tuple[int, ...]
    verdict: Verdict | None
    recording: Recording | None

    @property
    def stays(self) -> bool:
        """Whether the memory that answered holds the event."""
        return self.action in (Action.REFRESH, Action.RENEW)


def holders(memories: Sequence[int], taken: Mapping[int, int]) -> list[int]:
    """What holds the place of each of several memories: of one that was overwritten the one that took it, and so on.

    taken: by which memory each overwritten one was.

    >>> holders([0, 1, 2], {0: 2, 2: 5})
    [5, 1, 5]
    """
    held = []
    for memory in memories:
        while memory in taken:
            memory = taken[memory]
        held.append(memory)
    return held


@dataclass(frozen=True, eq=False)
class Judged:
    """What the gates make of an event or a cue, None where no memory answered it; with their spikes, where asked for."""

    verdict: Verdict | None
    recording: Recording | None = None
    barred: frozenset[Action] = frozenset()
    """What may not become of the event, whatever the gates say; it is written instead."""

    @property
    def action(self) -> Action:
        action = Action.WRITE if self.verdict is None else self.verdict.action
        return Action.WRITE if action in self.barred else action

    @property
    def key(self) -> int:
        return NONE if self.verdict is None else self.verdict.key

    @property
    def read(self) -> float:
        """The share of the read gate's cells that fired; 0 where no memory answered. Over a half, what the cue recalls is read out."""
        return 0.0 if self.verdict is None else self.verdict.shares["read"]

    def decided(self, memory: int, old: int, added: tuple[int, ...]) -> Outcome:
        return Outcome(self.action, memory, old, added, self.verdict, self.recording)


def judge(circuit: Circuit, trained: GateCells, volley: Volley, vectors: NDArray[np.float32], target: tuple[str, str] | None) -> Judged:
    """One event or cue (n = 1) at the gates.   target: simulator and device of a simulation; None takes the short cut."""
    key, difference = mismatch(circuit, volley)
    if key == NONE:
        return Judged(None)
    seed = noise_seed(circuit, volley, key)
    if target is None:
        return Judged(trained.judge(key, difference, seed))
    recording = run(*gated(circuit, trained, vectors, volley.cue_words, seed), len(gates.PROTOCOL), *target)
    return Judged(trained.read(recording, circuit.ca1.lexicon), recording)


def gated(
    circuit: Circuit, trained: GateCells, vectors: NDArray[np.float32], cue_words: CueWords, seed: int
) -> tuple[Network, dict[str, NDArray[np.generic]]]:
    """The network of events at the gates, and what drives it: a recall whose words come only after its answer, and the gates."""
    net = circuit.network(slow=False)
    trained.build(net, circuit.ca1, seed)
    stimulus = circuit.stimulus(gates.PROTOCOL, vectors, cue_words) | trained.stimulus()
    stimulus["ec_lex"] = stimulus["ec_lex"].copy()
    stimulus["ec_lex"][: gates.START] = False
    return net, stimulus
