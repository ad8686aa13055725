"""Words, context, moments and spreading: short cuts against spikes, and each against its equation."""

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec
from spikemem.hippocampus import PATHWAYS
from spikemem.regions.ec_lex import Words, words
from tests.fakes import near, units

TOPICS = ["harbour", "bees", "violin", "glacier", "orchard", "lantern", "compass", "pepper", "ladder", "meadow", "copper", "saffron"]


def text_spec(small: ModelSpec, **ca1: float) -> ModelSpec:
    """hippocampus-small with the pathways of hippocampus-text."""
    table = small.model_dump()
    table["lex"] = {"cells": 1024}
    table["ec"] |= {"charge": 2.4, "layer_two": 0.375}
    table["dg"]["fan_in"] = 4
    table["ca1"] |= {"candidates": 30, "competitors": 12, **ca1}
    return ModelSpec.model_validate(table)


def said(*texts: str) -> list[Words]:
    return [words(t, 1024) for t in texts]


def text(i: int) -> str:
    a, b, c = (TOPICS[(i * k + i // 5) % len(TOPICS)] for k in (1, 5, 7))
    return f"the {a} and the {b} number{i % 17} near {c} and {a}"


def conversation(spec: ModelSpec, n: int = 60, titles: bool = True, links: bool = False) -> Hippocampus:
    """Memories of three sessions and none; every other one with a title that the words of another one name."""
    memory = Hippocampus(spec, seed=0)
    variants = [units(1, seed=50 + i) if titles and i % 2 else None for i in range(n)]
    heard = [said(text(i), *([f"{TOPICS[(i + 3) % 12]} number{(i + 1) % 17}"] if v is not None else [])) for i, v in enumerate(variants)]
    ids = memory.store(
        units(n), variants=variants, words=heard, sessions=[i // 20 if i < 50 else -1 for i in range(n)],
        when=[np.nan if i % 9 == 0 else 1.6e9 + 86400.0 * 3 * i for i in range(n)],
    )  # fmt: skip
    if links:
        memory.associate(ids[10:20], ids[30:40])
    memory.forget(ids[7:60:13])
    return memory


def asked(n: int = 12) -> tuple[np.ndarray, list[Words]]:
    x = units(60)
    cues = np.concatenate([near(x[2:8], 0.8), near(x[30:34], 0.3), units(2, seed=99)])[:n]
    return cues, said(*[f"where is the {TOPICS[i % 12]} number{i % 17} {TOPICS[(3 * i) % 12]}" for i in range(n - 1)], "?!")


@pytest.mark.parametrize("cycles", [1, 2, 3, 4])
@pytest.mark.parametrize(("titles", "links", "around"), [(True, True, 1.6e9 + 3e6), (True, False, None), (False, True, None)])
def test_a_recall_is_what_the_spikes_say(small: ModelSpec, cycles: int, titles: bool, links: bool, around: float | None) -> None:
    memory = conversation(text_spec(small), titles=titles, links=links)
    cues, heard = asked()
    short = memory.recall(cues, 5, words=heard, around=around, cycles=cycles, settle=1)
    spiking = memory.recall(cues, 5, words=heard, around=around, cycles=cycles, settle=1, record=True)
    for name in ("ids", "scores", "drives", "path", "vectors", "novelty", "competitors", "attention"):
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)
    if cycles > 1:
        assert short.drives[:, :, PATHWAYS.index("spreading")].max() > 0
        assert short.path.shape == (len(cues), cycles - 1)
