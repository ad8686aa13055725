"""What an addition costs: a region and a pathway that are written here, and that no file of the package knows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec, Network, Population, RateHippocampus, Recording
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.rate_pathways import RatePathways
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.bcpnn import UNIT
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring, Region
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.hippocampus.regions.pathway_cells import ALL, CYCLE, Pathway, RateCue, onto_index_cells
from spikemem.hippocampus.regions.pathways import Synapses, Taught
from spikemem.hippocampus.regions.rhythm import GAMMA, RecallSchedule
from spikemem.hippocampus.spec import CA1Spec, Gain, LexSpec
from spikemem.network.synapses import Dense
from tests.fakes import near, units

LEXICON = 1024
PARTS = ("ids", "scores", "drives", "path", "vectors", "novelty", "competitors", "attention")


# -- a region --------------------------------------------------------------------------------------------------------------------------


class Interneurons:
    """Cells that each listen to one stretch of CA3 and fire where more than `level` of its cells do."""

    name = "interneurons"

    def __init__(self, spec: ModelSpec, cells: int = 8, level: int = 8) -> None:
        self.cells, self.level, self.listens_to = cells, level, spec.dg.cells

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        stretch = np.arange(self.listens_to) * self.cells // self.listens_to
        net.add(Population(self.name, self.cells, ec.PERFECT, CYCLE))
        net.connect("ca3", self.name, Dense((stretch[:, None] == np.arange(self.cells)).astype(np.float64)))

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        cycle = np.zeros(GAMMA)
        cycle[0] = ec.PERFECT.threshold - self.level
        return {self.name: np.tile(cycle, len(drive.protocol))}

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[set[int]]:
        start = schedule.order * GAMMA
        return [set(recording[self.name].between(start, start + GAMMA, i).cell.tolist()) for i in range(recording.batches)]


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_a_region(small: ModelSpec, simulator: str) -> None:
    spec, x, schedule = small, units(20), RecallSchedule(settle=1, attention=2)
    memory, plain = Hippocampus(spec), Hippocampus(spec)
    added = Interneurons(spec)
    regions: list[Region] = [added]
    memory.circuit = Circuit(spec, memory.seed, further=regions)
    for m in (memory, plain):
        m.store(x)
    cues = near(x[:3], 0.8)
    seen, without = (m.simulate_recall(cues, attention_cycles=2, simulator=simulator) for m in (memory, plain))
    read = memory.circuit.read(seen, schedule)
    assert list(read) == ["ec", "dg", "ca3", "ca1", "interneurons"]
    ca3 = memory.circuit.ca3.read(seen, schedule)
    counts = [np.bincount(cells * 8 // spec.dg.cells, minlength=8) for cells in ca3]
    assert read["interneurons"] == [set(np.flatnonzero(c > added.level).tolist()) for c in counts]
    assert all(0 < len(np.flatnonzero(c > added.level)) < 8 for c in counts)
    for name, spikes in without.spikes.items():  # it only listens
        np.testing.assert_array_equal(spikes.cell, seen[name].cell, err_msg=name)


# -- a pathway -------------------------------------------------------------------------------------------------------------------------


class RecentCA1(CA1Spec):
    """The one line that the specification gets."""

    recency: Gain = 0.4


class RecentSpec(ModelSpec):
    ca1: RecentCA1 = RecentCA1(candidates=30, competitors=12)


LATELY = words("lately", LEXICON)


def lately(cue_words: CueWords) -> NDArray[np.bool_]:
    """Which cues ask for what happened lately."""
    return np.array([np.isin(LATELY.cells[LATELY.whole], w.cells).all() for w in cue_words.words])


class Recency(Pathway):
    """A cue that says "lately" drives a memory the more, the later it was stored."""

    name = "recency"

    def gain(self, spec: ModelSpec) -> float:
        assert isinstance(spec, RecentSpec)
        return spec.ca1.recency

    def bound(self, spec: ModelSpec) -> float:
        return self.gain(spec) * ec.scale(spec.ec) ** 2

    def share(self, taught: Taught) -> NDArray[np.float64]:
        return (1 + np.arange(len(taught.content))) / len(taught.content)

    def weight(self, s: Synapses) -> NDArray[np.int64]:
        return np.round(self.gain(s.spec) * s.unit * self.share(s)).astype(np.int64)

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        key = np.flatnonzero(s.alive)
        net.add(Population(self.name, 1, ec.PERFECT, CYCLE))
        onto_index_cells(s, net, self.name, np.zeros(len(key), np.int64), key, self.weight(s)[s.memory[key]] / UNIT)

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        spikes = np.zeros((len(drive.protocol) * GAMMA, len(drive.vectors), 1), bool)
        spikes[np.ix_(drive.starts, np.flatnonzero(lately(drive.cue_words)))] = True
        return {self.name: spikes}

    def drive(self, s: Synapses, cue_words: CueWords) -> NDArray[np.int64]:
        return lately(cue_words)[:, None] * self.weight(s)

    def rate(self, cue: RateCue) -> NDArray[np.float64] | None:
        about_lately = lately(CueWords((cue.words,)))[0]
        return self.gain(cue.taught.spec) * self.share(cue.taught) if about_lately else None


@pytest.fixture(scope="module")
def spec(small: ModelSpec) -> RecentSpec:
    table = {**small.model_dump(exclude={"ca1"}), "lex": LexSpec(cells=LEXICON).model_dump()}
    return RecentSpec.model_validate(table)


def filled(spec: RecentSpec, pathways: tuple[Pathway, ...]) -> Hippocampus:
    """Forty memories, of which the later twenty are near the earlier ones, with words, titles, moments and links; two forgotten."""
    memory = Hippocampus(spec)
    memory.circuit = Circuit(spec, memory.seed, pathways)
    x, texts = vectors(), [f"the boat of number{i % 9}" for i in range(40)]
    given = [[words(text, LEXICON), words(f"title{i}", LEXICON)] for i, text in enumerate(texts)]
    memory.store(x, variants=[units(1, seed=50 + i) for i in range(40)], words=given, when=1e9 + 86400.0 * np.arange(40))
    memory.associate([0, 1], [2, 3])
    memory.forget([7, 30])
    return memory


def vectors() -> NDArray[np.float32]:
    return np.concatenate([units(20), near(units(20), 0.9, seed=3)])


CUES = [words(text, LEXICON) for text in ("lately", "the boat", "what did title3 do lately", "")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cycles", "around", "simulator"),
    [(1, None, "event"), (3, 1e9 + 5e5, "event"), pytest.param(1, 1e9 + 5e5, "torch", marks=pytest.mark.slow)],
)
def test_a_pathway(spec: RecentSpec, cycles: int, around: float | None, simulator: str) -> None:
    memory, plain = filled(spec, (*ALL, Recency())), filled(spec, ALL)
    cues = vectors()[:4]
    short = memory.recall(cues, 5, words=CUES, around=around, cycles=cycles)
    spiking = memory.recall(cues, 5, words=CUES, around=around, cycles=cycles, record=True, simulator=simulator)
    assert spiking.recording is not None
    assert len(spiking.recording["recency"])
    for name in PARTS:
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)
    without = plain.recall(cues, 5, words=CUES, around=around, cycles=cycles)
    own = (ec.encode(spec.ec, ec.unit(cues, spec.ec.dim)).astype(float) ** 2).sum(1, keepdims=True)
    expected = spec.ca1.recency * (1 + short.ids) / 40 * ec.scale(spec.ec) ** 2 / own
    expected[1::2] = 0
    np.testing.assert_allclose(short.drives[:, :, len(ALL)], expected, rtol=0, atol=1e-3)
    assert short.ids[0, 0] == 20  # of two alike the later one, where the cue is about what was lately
    assert without.ids[0, 0] == 0
    np.testing.assert_array_equal(short.ids[1::2], without.ids[1::2])
    np.testing.assert_array_equal(short.drives[1::2, :, : len(ALL)], without.drives[1::2])


@pytest.mark.slow
def test_attention_that_goes_on_while_ca3_is_unsettled_has_it_too(spec: RecentSpec) -> None:
    memory, cues = filled(spec, (*ALL, Recency())), near(vectors()[:4], 0.3)
    how = {"settle": 0, "attention_cycles": 7, "cycles": 1}
    short, spiking = (memory.recall(cues, 5, words=CUES, record=record, **how) for record in (False, True))  # type: ignore[arg-type]
    for name in PARTS:
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)


def test_the_rate_twin_has_the_pathway_too(spec: RecentSpec) -> None:
    with_it, without = RateHippocampus(spec, pathways=True), RateHippocampus(spec, pathways=True)
    with_it._pathways = RatePathways(spec, (*ALL, Recency()))
    for twin in (with_it, without):
        twin.store(vectors(), words=[[w] for w in [words(f"the boat of number{i % 9}", LEXICON) for i in range(40)]])
    new, old = (twin.recall(vectors()[:4], 40, words=CUES) for twin in (with_it, without))
    for i in range(4):
        before = dict(zip(old.ids[i].tolist(), old.scores[i].tolist(), strict=True))
        gained = [score - before[m] for m, score in zip(new.ids[i].tolist(), new.scores[i].tolist(), strict=True)]
        np.testing.assert_allclose(gained, (i % 2 == 0) * spec.ca1.recency * (1 + new.ids[i]) / 40, atol=1e-9)
