"""Words, context, moments and spreading: short cuts against spikes, and each against its equation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec, RateHippocampus
from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.regions.rhythm import GAMMA
from tests.fakes import near, units
from tests.marks import first_is_fast

TOPICS = ["harbour", "bees", "violin", "glacier", "orchard", "lantern", "compass", "pepper", "ladder", "meadow", "copper", "saffron"]


def text_spec(small: ModelSpec, **ca1: float) -> ModelSpec:
    """hippocampus-small with the pathways of hippocampus-text."""
    table = small.model_dump()
    table["lex"] = {"cells": 1024}
    table["ec"] |= {"charge": 2.4, "layer_two": 0.375}
    table["dg"]["fan_in"] = 4
    table["ca1"] |= {"candidates": 30, "competitors": 12, **ca1}
    return ModelSpec.model_validate(table)


def cells_of(*texts: str) -> list[Words]:
    return [words(t, 1024) for t in texts]


def text(i: int) -> str:
    a, b, c = (TOPICS[(i * k + i // 5) % len(TOPICS)] for k in (1, 5, 7))
    return f"the {a} and the {b} number{i % 17} near {c} and {a}"


def conversation(spec: ModelSpec, n: int = 60, titles: bool = True, links: bool = False) -> Hippocampus:
    """Memories of three sessions and none; every other one with a title that the words of another one name."""
    memory = Hippocampus(spec, seed=0)
    variants = [units(1, seed=50 + i) if titles and i % 2 else None for i in range(n)]
    given = [
        cells_of(text(i), *([f"{TOPICS[(i + 3) % 12]} number{(i + 1) % 17}"] if v is not None else [])) for i, v in enumerate(variants)
    ]
    ids = memory.store(
        units(n), variants=variants, words=given, sessions=[i // 20 if i < 50 else -1 for i in range(n)],
        when=[np.nan if i % 9 == 0 else 1.6e9 + 86400.0 * 3 * i for i in range(n)],
    )  # fmt: skip
    if links:
        memory.associate(ids[10:20], ids[30:40])
    memory.forget(ids[7:60:13])
    return memory


def cues_with_words(n: int = 12) -> tuple[np.ndarray, list[Words]]:
    x = units(60)
    cues = np.concatenate([near(x[2:8], 0.8), near(x[30:34], 0.3), units(2, seed=99)])[:n]
    return cues, cells_of(*[f"where is the {TOPICS[i % 12]} number{i % 17} {TOPICS[(3 * i) % 12]}" for i in range(n - 1)], "?!")


@pytest.mark.parametrize("cycles", first_is_fast(2, 1, 3, 4))
@pytest.mark.parametrize(("titles", "links", "around"), first_is_fast((True, True, 1.6e9 + 3e6), (True, False, None), (False, True, None)))
def test_a_recall_is_what_the_spikes_say(small: ModelSpec, cycles: int, titles: bool, links: bool, around: float | None) -> None:
    memory = conversation(text_spec(small), titles=titles, links=links)
    cues, given = cues_with_words()
    short = memory.recall(cues, 5, words=given, around=around, cycles=cycles, settle=1)
    spiking = memory.recall(cues, 5, words=given, around=around, cycles=cycles, settle=1, record=True)
    for name in ("ids", "scores", "drives", "path", "vectors", "novelty", "competitors", "attention"):
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)
    if cycles > 1:
        assert short.drives[:, :, PATHWAYS.index("spreading")].max() > 0
        assert short.path.shape == (len(cues), cycles - 1)


# -- drawn memories --------------------------------------------------------------------------------------------------------------------

VOCABULARY = [
    a + b for a in ("har", "vio", "gla", "pep", "cop", "mea", "lan", "com") for b in ("bour", "lin", "cier", "per", "dow", "tern")
]
PARTS = ("ids", "scores", "drives", "path", "vectors", "novelty", "competitors", "attention")


def drawn_spec(rng: np.random.Generator, lex: bool) -> ModelSpec:
    """A tiny model with few word cells, so that words collide, and few competitors, so that variants hide memories."""

    def one_of(*values: float) -> float:
        return float(rng.choice(values))

    table: dict[str, Any] = {
        "ec": {"dim": int(rng.choice([32, 64])), "charge": one_of(0.8, 2.4, 3.2), "layer_two": one_of(0.375, 1.0)},
        "dg": {"cells": 512, "winners": 32, "fan_in": 4},
        "ca3": {"core": 16},
        "context": {"reach": int(rng.integers(0, 4)), "forward": one_of(0.0, 0.375, 1.0), "drift": one_of(0.0, 0.5, 0.9)},
        "ca1": {
            "candidates": int(rng.choice([6, 20, 40])), "competitors": int(rng.choice([1, 3, 6])), "meaning": one_of(0.0, 0.5, 1.0),
            "words": one_of(0.0417, 0.3, 2.0), "time": one_of(0.0, 0.5, 2.0), "key": one_of(0.0, 0.3, 1.0),
            "spreading": one_of(0.2, 0.5, 1.0), "coincidence": one_of(0.5, 0.8, 0.95),
        },
    }  # fmt: skip
    if lex:
        table["lex"] = {"cells": int(rng.choice([256, 1024])), "saturation": one_of(0.0, 0.5, 3.0), "length": one_of(0.0, 0.5, 1.0)}
    return ModelSpec.model_validate(table)


def drawn_words(rng: np.random.Generator, cells: int, *lengths: int) -> Words:
    return words(" ".join(rng.choice(VOCABULARY, int(rng.choice(lengths)))), cells)


def drawn_memory(rng: np.random.Generator, spec: ModelSpec, cells: int) -> Hippocampus:
    """One to forty memories in several goes, with targets, pieces, cues, sessions, moments, links; some forgotten."""
    memory, left, dim = Hippocampus(spec, seed=int(rng.integers(5))), int(rng.choice([1, 2, 5, 20, 40])), spec.ec.dim
    base = rng.normal(size=dim)
    while left:
        n = min(left, int(rng.integers(1, 20)))
        left -= n
        apart, sizes = rng.random() < 0.3, rng.integers(0, 9 if rng.random() < 0.2 else 3, n)
        given = [[drawn_words(rng, cells, 0, 1, 2, 6, 15, 30) for _ in range(1 + apart + size)] for size in sizes]
        when = np.where(rng.random(n) < 0.2, np.nan, 1.6e9 + rng.normal(size=n) * 10.0 ** rng.integers(3, 9))
        memory.store(
            rng.normal(size=(n, dim)) + 0.5 * base, rng.normal(size=(n, dim)) if apart else None,
            [rng.normal(size=(size, dim)) if size else None for size in sizes], words=given if rng.random() < 0.9 else None,
            pieces=[int(rng.integers(0, size + 1)) for size in sizes], sessions=rng.integers(-1, 3, n) if rng.random() < 0.8 else None,
            when=when if rng.random() < 0.8 else None,
        )  # fmt: skip
    n = len(memory)
    if n > 1 and rng.random() < 0.4:
        memory.associate(*rng.integers(0, n, (2, n // 2)))
    if n > 1 and rng.random() < 0.5:
        memory.forget(np.unique(rng.integers(0, n, max(1, n // 4))))
    if rng.random() < 0.3:
        memory.consolidate()
    return memory


def drawn_cues(rng: np.random.Generator, memory: Hippocampus, cells: int) -> tuple[np.ndarray, list[Words], float | None]:
    """One to three cues near stored keys or far from all, and what they say; some say all words there are."""
    counts, n = memory.arrays()["counts"], int(rng.integers(1, 4))
    cues = counts[rng.integers(0, len(counts), n)] + rng.normal(size=(n, counts.shape[1])) * rng.choice([0.1, 2.0, 8.0])
    given = [drawn_words(rng, cells, 0, 1, 3, 8, 40) for _ in range(n)]
    if rng.random() < 0.2:
        given[0] = Words(np.arange(cells), np.full(cells, 20), np.ones(cells, bool))
    return cues, given, None if rng.random() < 0.4 else float(rng.choice([1.6e9, 1.61e9, 0.0, -1e12, 1e15]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_drawn_recalls_are_what_the_spikes_say(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng([seed, 5])
    spec = drawn_spec(rng, lex=seed % 6 > 0)
    cells = spec.lex.cells if spec.lex else 256
    memory = drawn_memory(rng, spec, cells)
    if seed % 3 == 0:
        opened = Hippocampus.load(memory.save(tmp_path / "memory.safetensors"))
        for name, array in memory.arrays().items():
            np.testing.assert_array_equal(array, opened.arrays()[name], err_msg=name)
        memory = opened
    cues, given, around = drawn_cues(rng, memory, cells)
    how: dict[str, Any] = {
        "words": given if rng.random() < 0.9 else None, "around": around, "top_k": int(rng.choice([1, 3, 10, 60])),
        "cycles": int(rng.integers(1, 5)), "settle": int(rng.integers(0, 4)), "attention_cycles": int(rng.choice([1, 3, 5])),
    }  # fmt: skip
    short, spiking = memory.recall(cues, **how), memory.recall(cues, **how, record=True)
    for name in PARTS:
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)


# -- the equation ----------------------------------------------------------------------------------------------------------------------


def plain_weights(memory: Hippocampus) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """W, [cell, key], and the shares of each apical dendrite with its memory, from the arrays and the docstring of `bcpnn`."""
    a, lex = memory.arrays(), memory.spec.lex
    assert lex is not None
    keys = len(a["alive"])
    f, whole = np.zeros((lex.cells, keys)), np.zeros((lex.cells, keys), bool)
    for k in range(keys):
        part = slice(*a["words_ptr"][k : k + 2])
        f[a["words_cell"][part], k], whole[a["words_cell"][part], k] = a["words_spikes"][part], a["words_whole"][part]
    texts = [k for k in range(keys) if a["alive"][k] and a["content"][k] == k]
    df, n = (f[:, texts] > 0).sum(1), len(texts)
    odds, length = np.log((n + 1) / (df + 1)) / np.log(n + 1), f.sum(0)
    mean = length[texts].mean()
    share = np.where(a["cue"], 1.0, length / mean)
    k1, b = lex.saturation, lex.length
    weight = a["alive"] * odds[:, None] * f * (k1 + 1) / np.where(f > 0, f + k1 * (1 - b + b * share), 1.0)
    titles = [k for k in range(keys) if a["cue"][k] and a["alive"][k]]
    return weight, [(int(a["memory"][k]), odds * whole[:, k] / (odds * whole[:, k]).sum()) for k in titles]


def plain_drive(memory: Hippocampus, given: Words, around: float | None, primed: set[int]) -> np.ndarray:
    """Each key's drive by all pathways but meaning, in units of s^2, by pathway, [key, 6]: words, context, time, key, spreading, denial."""
    a, spec = memory.arrays(), memory.spec
    weight, titles = plain_weights(memory)
    x = np.zeros(len(weight))
    x[given.cells] = np.minimum(given.spikes, 8)
    words_, found = spec.ca1.words * (x @ weight), np.zeros((len(a["alive"]), 6))
    fired = {m for m, share in titles if share @ (x > 0) > spec.ca1.coincidence}
    content = np.unique(a["content"])
    for k, m in enumerate(a["memory"].tolist()):
        session = [j for j in range(len(content)) if a["session"][j] == a["session"][m] != -1 and a["alive"][content[j]]]
        found[k, 0] = words_[k]
        for j in session:
            d = session.index(m) - session.index(j) if m in session else 0
            if d and abs(d) <= spec.context.reach:
                bound = spec.context.forward * spec.context.drift ** (abs(d) - 1) * (spec.context.backward if d < 0 else 1.0)
                found[k, 1] += bound * words_[content[j]]
        if around is not None and not np.isnan(a["when"][m]):
            spans = [86400.0 * days for days in (1, 7, 30, 91, 365)]
            same = [np.floor(a["when"][m] / s + g / 4) == np.floor(around / s + g / 4) for s in spans for g in range(4)]
            found[k, 2] = spec.ca1.time * np.mean(same)
        found[k, 3], found[k, 4] = spec.ca1.key * (m in fired), spec.ca1.spreading * (m in primed)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("cycles", "around"), [(1, 1.6e9 + 3e6), (2, None), (3, 1.6e9 + 9e6)])
def test_drives_are_those_of_the_equation(small: ModelSpec, cycles: int, around: float | None) -> None:
    memory = conversation(text_spec(small), links=True)
    cues, given = cues_with_words()
    found, a = memory.recall(cues, 5, words=given, around=around, cycles=cycles), memory.arrays()
    counts = ec.encode(memory.spec.ec, ec.unit(cues, 384)).astype(float)
    s2 = ec.scale(memory.spec.ec) ** 2
    seen = np.zeros(7)
    for i in range(len(cues)):
        primed: set[int] = set()
        for m in found.path[i].tolist():
            x = np.isin(np.arange(1024), memory.circuit.ca1.lexicon.whole_words(int(np.unique(a["content"])[m])))
            named = {t for t, share in plain_weights(memory)[1] if share @ x > memory.spec.ca1.coincidence}
            primed |= {m} | {int(b) for p, b in a["links"] if p == m} | named
        others = plain_drive(memory, given[i], around, primed) * s2
        own = counts[i] @ counts[i]
        meaning = a["counts"].astype(float) @ counts[i]
        for place, m in enumerate(found.ids[i].tolist()):
            keys = np.flatnonzero(a["memory"] == m)
            key = keys[np.argmax(meaning[keys] + others[keys].sum(1))]
            expected = np.array([meaning[key], *others[key]]) / own
            rounding = (
                np.array([0, 0.5 * given[i].spikes.sum(), given[i].spikes.sum() + 0.04 * others[key, 0] + 20, 0.2, 0.02, 0.02, 0]) / own
            )
            np.testing.assert_array_less(np.abs(found.drives[i, place] - expected), rounding + 1e-9)
            seen += found.drives[i, place] != 0
        np.testing.assert_allclose(found.scores[i], found.drives[i].sum(1), rtol=1e-12)
    assert (seen > 0).tolist() == [True, True, True, around is not None, True, cycles > 1, False]


@pytest.mark.slow
def test_the_rate_twin_has_the_same_drives(small: ModelSpec) -> None:
    """Within rounding of floats the plain reference, and in the order of the spiking memory but where that rounds."""
    spec = text_spec(small)
    spiking, rate = conversation(spec), RateHippocampus(spec, pathways=True)
    a = spiking.arrays()
    variants = [units(1, seed=50 + i) if i % 2 else None for i in range(60)]
    texts = [cells_of(text(i), *([f"{TOPICS[(i + 3) % 12]} number{(i + 1) % 17}"] if i % 2 else [])) for i in range(60)]
    rate.store(units(60), variants=variants, words=texts, sessions=a["session"], when=a["when"])
    rate.forget(np.arange(7, 60, 13))
    cues, given = cues_with_words()
    around = 1.6e9 + 3e6
    found, twin = (m.recall(cues, 3, words=given, around=around, cycles=1) for m in (spiking, rate))
    title = np.array([v[0] if v is not None else np.zeros(384) for v in variants])
    keys = np.where(a["cue"][:, None], title[a["memory"]], units(60)[a["memory"]]).astype(float)
    for i in range(len(cues)):
        drive = plain_drive(spiking, given[i], around, set()).sum(1)
        best = {m: np.max(keys[a["memory"] == m] @ ec.unit(cues[i], 384)[0] + drive[a["memory"] == m]) for m in twin.ids[i].tolist()}
        np.testing.assert_allclose(twin.scores[i], list(best.values()), rtol=0, atol=1e-6)  # cosines are float32
    assert (found.ids[:, 0] == twin.ids[:, 0]).mean() > 0.9
    pathways = rate._pathways
    assert pathways is not None
    order = np.argsort(a["cue"], kind="stable")  # texts come first, then titles
    taught = pathways.synapses(a["memory"][order], a["alive"][order])
    primed = np.zeros((len(cues), 60), bool)
    primed[:, ::5] = True
    living = order[a["alive"][order]]
    expected = [plain_drive(spiking, w, around, set(range(0, 60, 5))).sum(1)[living] for w in given]
    drive = pathways.drive(taught, CueWords.of(given, around, len(given)), primed)[:, a["alive"][order]]
    np.testing.assert_allclose(drive, expected, rtol=0, atol=1e-9)


# -- chains that go on by spreading ----------------------------------------------------------------------------------------------------


def plain_chain(memory: Hippocampus, vector: np.ndarray, given: Words, start: int, chain: list[int]) -> list[int]:
    """From where associations end: of the memories that what was visited lights, not yet visited, the one of the largest drive."""
    a, done, titles = memory.arrays(), [start], plain_weights(memory)[1]
    primed: set[int] = set()
    meaning = a["counts"].astype(float) @ ec.encode(memory.spec.ec, ec.unit(vector, 384))[0] / ec.scale(memory.spec.ec) ** 2
    for successor in chain:
        x = np.isin(np.arange(1024), memory.circuit.ca1.lexicon.whole_words(int(np.unique(a["content"])[done[-1]])))
        primed |= {m for m, share in titles if share @ x > memory.spec.ca1.coincidence}
        if successor == -1:
            drive = np.where(a["alive"], memory.spec.ca1.meaning * meaning + plain_drive(memory, given, None, primed).sum(1), -np.inf)
            fit = [k for k in np.argsort(-drive)[: memory.spec.ca1.competitors] if a["memory"][k] in primed - set(done)]
            if not fit:
                break
            successor = int(a["memory"][fit[0]])
        done.append(successor)
    return (done + [-1] * len(chain))[1 : len(chain) + 1]


@pytest.mark.parametrize("seed", first_is_fast(*range(6)))
def test_a_chain_goes_on_by_spreading(small: ModelSpec, seed: int) -> None:
    rng = np.random.default_rng([seed, 11])
    memory, n = Hippocampus(text_spec(small, candidates=200), seed=0), 40
    names = [f"name{i}" for i in range(n)]
    to = rng.permutation(n)
    texts = [f"{names[i]} tells of {names[to[i]]} and {names[rng.integers(n)]}" if rng.random() < 0.8 else "nothing" for i in range(n)]
    x = units(n, seed=seed)
    memory.store(x, variants=[units(1, seed=200 + i) for i in range(n)], words=[cells_of(texts[i], names[i]) for i in range(n)])
    if seed % 2:
        memory.associate([0, 1], [1, 2])
    memory.forget([int(rng.integers(3, n))])
    alive = np.flatnonzero(memory.circuit.ca1.alive[:32])[:12]
    given = cells_of(*[f"who knows {names[i]}" for i in alive])
    found = memory.recall_chain(x[alive], 5, words=given)
    first = memory.recall(x[alive], 1, words=given, cycles=1).ids[:, 0].tolist()
    associated = memory.recall_chain(x[alive], 5)
    for i, row in enumerate(found.tolist()):
        assert row == plain_chain(memory, x[alive[i]], given[i], first[i], associated[i].tolist())
        real = [first[i], *(m for m in row if m != -1)]
        assert len(set(real)) == len(real)
        kept = associated[i] != -1
        np.testing.assert_array_equal(found[i, kept], associated[i, kept])
    assert (found[:, 0] != -1).any()
    assert (found[:, -1] == -1).any()


# -- simulators ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["torch", "snntorch", "norse", "brian2"])
def test_every_simulator_spikes_alike(simulator: str) -> None:
    if simulator != "torch":
        pytest.importorskip(simulator)
    table = drawn_spec(np.random.default_rng(0), lex=True).model_dump()
    spec = ModelSpec.model_validate({**table, "lex": {"cells": 256}, "ca1": {"candidates": 20, "competitors": 5}})
    memory = Hippocampus(spec)
    given = [words(text(i), 256) for i in range(8)]
    memory.store(
        units(8, dim=spec.ec.dim), variants=[units(1, seed=i, dim=spec.ec.dim) for i in range(8)], when=1.6e9 + np.arange(8) * 1e5,
        words=[[w, words(TOPICS[i], 256)] for i, w in enumerate(given)], sessions=[0] * 8,
    )  # fmt: skip
    memory.associate([0], [1])
    cues, how = units(2, dim=spec.ec.dim), {"around": 1.6e9, "cycles": 3}
    event, other = (memory.simulate_recall(cues, words=given[:2], simulator=s, settle=1, **how) for s in ("event", simulator))  # type: ignore[arg-type]
    assert {"ec_lex", "ec_ctx", "ec_time", "ca1_tuft", "ec_lex_deep", "ca1_plateau", "return_inhibition"} <= set(event.spikes)
    assert all(len(event[name]) for name in ("ec_lex", "ec_ctx", "ec_time", "ca1_plateau", "return_inhibition"))
    for name, spikes in event.spikes.items():
        for part in ("step", "batch", "cell"):
            np.testing.assert_array_equal(getattr(spikes, part), getattr(other[name], part), err_msg=name)


# -- what no answer shows --------------------------------------------------------------------------------------------------------------


def test_a_word_that_a_cue_repeats_is_no_second_word(small: ModelSpec) -> None:
    """Half of a title said twice leaves its apical dendrite silent; the whole of it, in any order, makes it fire once."""
    memory = Hippocampus(text_spec(small))
    memory.store(
        units(3),
        variants=[units(1, seed=9), None, None],
        words=[cells_of(text(0), "lantern saffron"), cells_of(text(1)), cells_of(text(2))],
    )
    cues, given = units(2, seed=5), cells_of("saffron saffron saffron", "saffron or lantern")
    recording = memory.simulate_recall(cues, words=given, settle=0, attention_cycles=1, cycles=1)
    for name in ("ca1_apical", "ca1_tuft"):
        assert recording[name].batch.tolist() == [1, 1], name  # once in each gamma cycle
    key = memory.recall(cues, 3, words=given, cycles=1).drives[:, :, PATHWAYS.index("key")]
    assert (key[0] == 0).all()
    assert np.count_nonzero(key[1]) == 1


@pytest.mark.slow
def test_events_are_the_synapses_that_carry_spikes(small: ModelSpec) -> None:
    memory = conversation(text_spec(small))
    cues, given = cues_with_words()
    found = memory.recall(cues, words=given, settle=1, cycles=1, record=True)
    net, recording = memory.circuit.network(), found.recording
    assert recording is not None
    for i in range(len(cues)):
        fired = {name: s.between(GAMMA, 2 * GAMMA, i) for name, s in recording.spikes.items()}
        read = ("ec_two->dg", "ca3->ca1_dendrite", "ec_lex->ca1", "ec_ctx->ca1")
        carried = [p.carried(fired[p.pre].cell, np.zeros(len(fired[p.pre].cell))) for p in net.projections if p.name in read]
        before = recording["ca3"].between(0, GAMMA, i).cell
        fast = next(p for p in net.projections if p.name == "ca3->ca3").carried(before, np.arange(len(before)))
        assert found.events[i] == sum(carried) + fast + len(fired["ca1_dendrite"].cell) * len(fired["ec"].cell)


def test_each_pass_costs_what_it_reads(small: ModelSpec) -> None:
    memory = conversation(text_spec(small))
    cues, given = cues_with_words()
    one, two, three = (memory.recall(cues, words=given, cycles=cycles).events for cycles in (1, 2, 3))
    assert (two > one).all()
    assert (three > two).all()
    dg = one - (two - one)  # what is not read again: DG and CA3's own
    assert (dg > 0).all()
