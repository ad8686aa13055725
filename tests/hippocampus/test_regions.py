"""Each region against the simulation of its own population, brute force, or closed form."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec, Network, Recording, load_model, simulate
from spikemem.errors import VectorError
from spikemem.hippocampus.codes import WINDOW
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ca1 import CA1, NONE
from spikemem.hippocampus.regions.ca3 import CA3
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.dg import DG, Adaptation
from spikemem.hippocampus.regions.rhythm import DG_RELEASE, GAMMA, Gamma, Mode
from spikemem.network.synapses import unpack
from tests.fakes import near, units

NOTHING = np.zeros(0, np.int64)


def simulate_volley(granule: DG, vectors: NDArray[np.float32]) -> Recording:
    """EC and DG alone, for the gamma cycle of one cue."""
    net, cortex, wiring = Network(), ec.EC(granule.spec), CircuitWiring(1, 1)
    drive = CircuitDrive([Gamma(Mode.CUE)], vectors, CueWords.nothing(len(vectors)), 1, np.zeros(len(vectors), np.int64), 0)
    for region in (cortex, granule):
        region.build(net, wiring)
    return simulate(net, {**cortex.stimulus(drive), **granule.stimulus(drive)}, GAMMA)


def cores(m: int, k: int, cells: int, seed: int = 0) -> NDArray[np.uint16]:
    """Random engrams, each of k different cells, [m, k]."""
    return np.random.default_rng(seed).random((m, cells)).argsort(axis=1)[:, :k].astype(np.uint16)


# -- entorhinal cortex -----------------------------------------------------------------------------------------------------------------


def test_a_volley_holds_the_vector(small: ModelSpec) -> None:
    x = units(200)
    back = ec.decode(small.ec, ec.encode(small.ec, x))
    assert ((back * x).sum(1) / np.linalg.norm(back, axis=1)).min() >= 0.99


def test_a_volley_is_rounded_charge(small: ModelSpec) -> None:
    x = units(50)
    charge = np.clip(ec.scale(small.ec) * x.astype(np.float64), -WINDOW, WINDOW)  # a cell fires at most once a step
    assert np.abs(ec.encode(small.ec, x) - charge).max() < 0.5 + 1e-6


def test_encode_is_what_ec_spikes(small: ModelSpec) -> None:
    x = np.concatenate([units(4), np.eye(384, dtype=np.float32)[:2], np.full((1, 384), 384**-0.5, np.float32)])
    recording = simulate_volley(DG(small, 0), x)
    np.testing.assert_array_equal(ec.signed(recording["ec"].counts(len(x))), ec.encode(small.ec, x))


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.0, 1e300])
def test_unit_knows_no_scale(scale: float) -> None:
    signs = np.sign(units(3).astype(np.float64))
    np.testing.assert_allclose(ec.unit(signs * scale, 384), signs / 384**0.5, rtol=1e-6)


@pytest.mark.parametrize(
    "bad", [np.zeros(384), np.full(384, np.nan), np.full(384, np.inf), np.ones(383), np.ones((1, 1, 384)), "text", None]
)
def test_unit_refuses_what_has_no_direction(bad: object) -> None:
    with pytest.raises(VectorError):
        ec.unit(bad, 384)


# -- dentate gyrus ---------------------------------------------------------------------------------------------------------------------


def skewed(n: int) -> NDArray[np.float32]:
    """Vectors with a common mean and a steep spectrum, as sentence embeddings have, [n, d]."""
    x = units(n) * np.geomspace(4, 0.1, 384, dtype=np.float32) + 0.1 * units(1, seed=2)
    return ec.unit(x, 384)


@pytest.mark.parametrize("adapted", [False, True])
def test_codes_are_the_winners_of_the_race(small: ModelSpec, adapted: bool) -> None:
    x = skewed(60)
    counts = ec.encode(small.ec, x)
    granule = DG(small, 3, Adaptation.of(counts) if adapted else None)
    codes, when = granule.codes(counts[:6])
    spikes = simulate_volley(granule, x[:6])["dg"]
    for i in range(6):
        fired = spikes.between(0, GAMMA, i)
        raced = set(zip(fired.step.tolist(), fired.cell.tolist(), strict=True))
        assert raced == set(zip(np.array(DG_RELEASE)[when[i]].tolist(), codes[i].tolist(), strict=True))
        assert len(raced) == small.dg.winners


def test_spikes_code_as_rates_do() -> None:
    granule, x = DG(load_model("hippocampus-base"), 0), units(100)
    codes, _ = granule.codes(ec.encode(granule.spec.ec, x))
    shared = [len(np.intersect1d(spikes, rates)) for spikes, rates in zip(codes, granule.rate_code(x), strict=True)]
    assert np.mean(shared) >= 0.85 * granule.spec.dg.winners


def test_adaptation_uses_all_cells_alike(small: ModelSpec) -> None:
    counts = ec.encode(small.ec, skewed(1000))
    uses = {}
    for name, adaptation in (("naive", None), ("adapted", Adaptation.of(counts))):
        codes, _ = DG(small, 0, adaptation).codes(counts)
        uses[name] = np.bincount(codes.ravel(), minlength=small.dg.cells)
    assert (uses["naive"] == 0).sum() > 50
    assert uses["adapted"].min() > 0
    assert uses["adapted"].std() < 0.5 * uses["naive"].std()


# -- CA3 -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [100, 1000, 4000])
def test_density_is_willshaws(small: ModelSpec, m: int) -> None:
    """1 - (1 - k^2/N^2)^M; a core has half its k^2 pairs in one hemisphere, and those are half of all N^2."""
    ca3, k, n = CA3(small), small.ca3.core, small.dg.cells
    engrams = cores(m, small.dg.winners, n)
    ca3.bind(engrams)
    ca3.chain(engrams, cores(m, small.dg.winners, n, seed=1))
    assert ca3.density() == pytest.approx([1 - (1 - k**2 / n**2) ** m] * 2, rel=0.1)


@settings(max_examples=10, deadline=None)
@given(m=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_willshaw_learning(m: int, seed: int) -> None:
    small = load_model("hippocampus-small")
    k, half = small.ca3.core, small.dg.cells // 2
    engrams, after = cores(m, small.dg.winners, 2 * half, seed), cores(m, small.dg.winners, 2 * half, seed + 1)
    ca3, again = CA3(small), CA3(small)
    ca3.bind(engrams)
    ca3.chain(engrams, after)
    again.bind(np.concatenate([engrams[::-1], engrams]))
    for pre, post in zip(engrams[::-1], after[::-1], strict=True):
        again.chain(pre[None], post[None])
    np.testing.assert_array_equal(again.fast, ca3.fast)  # order and repetition do not count
    np.testing.assert_array_equal(again.slow, ca3.slow)
    wanted = {kind: np.zeros((2 * half, 2 * half), bool) for kind in ("fast", "slow")}
    for pre, post in zip(engrams[:, :k].astype(int), after[:, :k].astype(int), strict=True):
        wanted["fast"][np.ix_(pre, pre)] = wanted["slow"][np.ix_(pre, post)] = True
    np.fill_diagonal(wanted["fast"], False)
    np.testing.assert_array_equal(unpack(ca3.fast[:half]), wanted["fast"][:half, :half])
    np.testing.assert_array_equal(unpack(ca3.fast[half:]), wanted["fast"][half:, half:])
    np.testing.assert_array_equal(unpack(ca3.slow[:half]), wanted["slow"][:half, half:])
    np.testing.assert_array_equal(unpack(ca3.slow[half:]), wanted["slow"][half:, :half])


def test_a_core_with_wrong_cells_is_completed(small: ModelSpec) -> None:
    ca3, k, n = CA3(small), small.ca3.core, small.dg.cells
    engrams, others = cores(300, small.dg.winners, n), cores(300, small.dg.winners, n, seed=1)
    ca3.bind(engrams)
    wrong = round(0.3 * k)
    cues = np.concatenate([engrams[:, wrong:k], others[:, : small.dg.winners - k + wrong]], axis=1)
    cues[:, :k] = np.concatenate([cues[:, : k - wrong], others[:, :wrong]], axis=1)
    when = np.tile(np.arange(small.dg.winners, dtype=np.uint8), (300, 1))
    cells, _, _ = ca3.complete(cues, when, 2)
    whole = [set(found[:k].tolist()) == set(engram[:k].tolist()) for found, engram in zip(cells, engrams, strict=True)]
    assert np.mean(whole) > 0.97
    untouched, _, _ = ca3.complete(cues, when, 0)
    np.testing.assert_array_equal(untouched, cues)


def test_one_hop_is_exact(small: ModelSpec) -> None:
    ca3, k = CA3(small), small.ca3.core
    pre, post = cores(100, small.dg.winners, small.dg.cells), cores(100, small.dg.winners, small.dg.cells, seed=1)
    ca3.chain(pre, post)
    for a, b in zip(pre, post, strict=True):
        assert set(ca3.cycle(NOTHING, a, NOTHING, NOTHING).tolist()) == set(b[:k].tolist())


# -- CA1 and subiculum -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newest", [0, 50, 400])
def test_ranking_is_brute_force(small: ModelSpec, newest: int) -> None:
    """Among the candidates that share most CA3 cells, by n_key . n_cue; with keys inside and outside the index."""
    n, candidates = 600, small.ca1.candidates
    x = near(np.repeat(units(60), 10, axis=0), 0.7)
    counts = ec.encode(small.ec, x)
    codes, _ = DG(small, 0).codes(counts)
    cues = ec.encode(small.ec, near(x[::40], 0.8, seed=3))
    active, _ = DG(small, 0).codes(cues)
    size = np.arange(len(cues)) % 3 * 20 + 10
    ca1 = CA1(small)
    for part in (slice(0, n - newest), slice(n - newest, n)):
        ca1.add(counts[part], codes[part], np.arange(n)[part], np.arange(n)[part])
        ca1.rank(cues, active, size, candidates)
    dead = np.arange(0, n, 7)
    ca1.silence(dead)
    ranking = ca1.rank(cues, active, size, candidates)
    for i, cue in enumerate(cues.astype(np.int64)):
        shared = np.isin(codes, active[i, : size[i]]).sum(1)
        shared[dead] = 0
        opened = np.sort(np.argsort(-shared, kind="stable")[:candidates])
        opened = opened[shared[opened] > 0]
        drive = counts[opened].astype(np.int64) @ cue
        order = np.argsort(-drive, kind="stable")
        assert ranking.order[i].tolist() == opened[order].tolist() + [NONE] * (candidates - len(opened))
        assert ranking.drive[i, : len(order)].tolist() == drive[order].tolist()


def test_attention_approaches_the_softmax(small: ModelSpec) -> None:
    x = units(60)
    memory = Hippocampus(small, seed=4)
    memory.store(x)
    cue = x.reshape(10, 6, 384).sum(1)  # each is a blend of six memories
    volley = ec.encode(small.ec, ec.unit(cue, 384)).astype(np.float64)
    distance = []
    for cycles in (5, 30, 180):
        found = memory.recall(cue, top_k=small.ca1.competitors, attention_cycles=cycles)
        np.testing.assert_array_equal(found.ids, found.competitors)
        np.testing.assert_allclose(found.attention.sum(1), 1.0)
        cosine = found.scores * (volley**2).sum(1, keepdims=True) / ec.scale(small.ec) ** 2
        softmax = np.exp(small.ca1.sharpness * cosine)
        softmax /= softmax.sum(1, keepdims=True)
        distance.append(np.abs(found.attention - softmax).sum(1).mean() / 2)
    assert all(fewer > 2 * more for fewer, more in pairwise(distance))
    assert distance[-1] < 0.1
