"""Whatever a public call is given, it takes it as it is meant, or raises a SpikememError."""

import math
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikemem import (
    LIF,
    STDP,
    CycleReset,
    Hippocampus,
    Hit,
    KWinners,
    Logistic,
    Memory,
    ModelSpec,
    Network,
    NetworkSpec,
    Population,
    RateHippocampus,
    Recording,
    Shot,
    evaluate,
    from_nir,
    load_model,
    load_network,
    plots,
    simulate,
    sweep,
    to_nir,
)
from spikemem._checks import Checks
from spikemem.data import DATASETS, Task, babi, pairs
from spikemem.errors import NetworkError, SpecError, SpikememError, StimulusError, VectorError
from spikemem.evaluate import bench_training, compare_damage, retrieval
from spikemem.evaluate.compare import Pair, Row, attention_tv, compare_pairs, shares, total_variation, wilson
from spikemem.evaluate.compare_regions import by_region
from spikemem.evaluate.retrieval import RetrievalRow
from spikemem.evaluate.sharpness import fair_sharpness
from spikemem.formats import spikes_from, spikes_from_events
from spikemem.hippocampus import LatencyCode, VolleyCode, ZScoreCode, fidelity, on_off, words
from spikemem.hippocampus.damage import Damage
from spikemem.instruments import Spikes, Trains, correlation, cv, cv2, fano, isi, phase, psth, rates, spectrum, synchrony
from spikemem.learn import (
    AdaptiveLayer,
    DelayedLinear,
    FastHebbian,
    HebbianMemory,
    Linear,
    Scores,
    Settings,
    SpikingLayer,
    Watch,
    accuracy,
    fit,
    load,
    moved,
    save,
)
from spikemem.memory import CachedEmbedder, SentenceEmbedder, read_conversation
from spikemem.network import (
    Cascade,
    Dense,
    OneBit,
    RewardSTDP,
    Sparse,
    SynapticScaling,
    TsodyksMarkram,
    all_but_self,
    all_to_all,
    one_to_one,
    pack,
    sparse_random,
    unpack,
)
from spikemem.simulators import register, weight_course
from tests.fakes import FakeEmbedder, units

GRAD = torch.ones(2, requires_grad=True)


class Odd:
    """An object that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


ODD: list[Any] = [
    None,
    "",
    "a\0",
    "x" * 5000,
    b"b",
    True,
    -1,
    0,
    2**63,
    10**400,
    1e308,
    math.nan,
    math.inf,
    -math.inf,
    1 + 1j,
    [],
    [1, [2]],
    [None],
    {},
    {1: 2},
    (x for x in "ab"),
    np.array(3),
    np.array(["a"]),
    np.array([None]),
    np.zeros((0, 3)),
    np.array([math.nan]),
    np.array([1j]),
    GRAD,
    GRAD[0],
    torch.tensor(True),
    np.datetime64("now"),
    object(),
    Odd(),
    int,
    lambda: 1,
    Fraction(1, 3),
    range(3),
    memoryview(b"a"),
]


def swept(n: Any = 0, seed: int = 0) -> dict[str, int]:
    return {"one": 1}


def net() -> Network:
    made = Network(1.0)
    made.add(Population("a", 2))
    made.add(Population("b", 3, LIF(), KWinners(k=1)))
    made.connect("a", "b", all_to_all(0.5))
    return made


@pytest.fixture(scope="module")
def memory() -> Hippocampus:
    small = load_model("hippocampus-small").model_dump()
    spec = ModelSpec(**{**small, "ec": {"dim": 8}, "dg": {"cells": 128, "winners": 8, "fan_in": 4}, "ca3": {"core": 4}})
    made = Hippocampus(spec)
    made.store(units(3, dim=8))
    return made


def learner() -> Network:
    made = Network(1.0)
    made.add(Population("a", 2))
    made.connect("a", "a", all_to_all(0.5), plasticity=STDP())
    return made


RECORDING = simulate(net(), {"a": [[0.3, 0.4]]}, 5)
COURSE = weight_course(learner(), {"a": [[0.3, 0.4]]}, 6, snapshots=2)
FEW = Trains(Spikes(np.arange(0, 100, 7), np.zeros(15, int), np.arange(15) % 3, 3), 1.0, 100)
SEEN = np.array([(0, 1, 0, 5), (1, 1, 1, 2000)], [("x", int), ("y", int), ("p", int), ("t", int)])
LAYER = SpikingLayer(2)
SPARSE: dict[str, Any] = {"indptr": [0, 1], "targets": [0], "weights": [1.0], "post": 2}
BITS: dict[str, Any] = {"bits": np.zeros((1, 1), np.uint64), "start": [0], "post": 64, "on": 1.0, "off": 0.0}
CALLS: dict[str, Callable[[Any], object]] = {
    **{
        f"LIF {name}": lambda x, n=name: LIF(**{n: x})
        for name in ("tau", "threshold", "reset", "refractory", "tau_syn", "resistance", "made_for")
    },
    **{f"TsodyksMarkram {name}": lambda x, n=name: TsodyksMarkram(**{n: x}) for name in TsodyksMarkram.__dataclass_fields__},
    **{f"RewardSTDP {name}": lambda x, n=name: RewardSTDP(**{n: x}) for name in RewardSTDP.__dataclass_fields__},
    **{f"SynapticScaling {name}": lambda x, n=name: SynapticScaling(**{n: x}) for name in SynapticScaling.__dataclass_fields__},
    **{f"Cascade {name}": lambda x, n=name: Cascade(**{n: x}) for name in Cascade.__dataclass_fields__},
    **{f"STDP {name}": lambda x, n=name: STDP(**{n: x}) for name in STDP.__dataclass_fields__},
    **{f"Sparse {name}": lambda x, n=name: Sparse(**{**SPARSE, n: x}) for name in SPARSE},
    **{f"OneBit {name}": lambda x, n=name: OneBit(**{**BITS, n: x}) for name in BITS},
    "from_coo pre": lambda x: Sparse.from_coo(x, [0], [1.0], (2, 2)),
    "from_coo post": lambda x: Sparse.from_coo([0], x, [1.0], (2, 2)),
    "from_coo weights": lambda x: Sparse.from_coo([0], [0], x, (2, 2)),
    "from_coo shape": lambda x: Sparse.from_coo([0], [0], [1.0], x),
    "Dense": Dense,
    "pack": pack,
    "unpack": unpack,
    "all_to_all": all_to_all,
    "one_to_one": one_to_one,
    "all_but_self": all_but_self,
    "fan_in": lambda x: sparse_random(x)(3, 2),
    "seed": lambda x: sparse_random(1, x),
    "low": lambda x: sparse_random(1, 0, x),
    "k": lambda x: KWinners(k=x),
    "cycle": CycleReset,
    "scale": Logistic,
    "noise seed": lambda x: Logistic(1.0, x),
    **{f"Shot {name}": lambda x, n=name: Shot(**{"rate": 5.0, "weight": 1.0, n: x}) for name in ("rate", "weight", "seed")},
    "dt": Network,
    "name": lambda x: Population(x, 1),
    "size": lambda x: Population("a", x),
    "neuron": lambda x: Population("a", 1, x),
    "inhibition": lambda x: Population("a", 1, LIF(), x),
    "noise": lambda x: Population("a", 1, LIF(), None, x),
    "add": lambda x: net().add(x),
    "pre": lambda x: net().connect(x, "b", all_to_all()),
    "synapses": lambda x: net().connect("a", "b", x),
    "delay": lambda x: net().connect("a", "b", all_to_all(), delay=x),
    "first": lambda x: net().connect("b", "a", all_to_all(), first=x),
    "plasticity": lambda x: net().connect("a", "b", all_to_all(), plasticity=x),
    "efficacy": lambda x: net().connect("a", "b", all_to_all(), efficacy=x),
    "short_term": lambda x: net().connect("a", "b", all_to_all(), short_term=x),
    "TsodyksMarkram rate": lambda x: TsodyksMarkram(tau_facil=50.0).steady(x),
    "TsodyksMarkram times": lambda x: TsodyksMarkram(tau_facil=50.0).response(x),
    "TsodyksMarkram kind": TsodyksMarkram.named,
    "steps of a time": lambda x: net().steps(x),
    "function": lambda x: sweep(x, {"n": [1]}, executor="serial"),
    "grid": lambda x: sweep(swept, x, executor="serial"),
    "grid values": lambda x: sweep(swept, {"n": x}, executor="serial"),
    **{
        f"sweep {name}": lambda x, n=name: sweep(swept, {"n": [1]}, **{"executor": "serial", n: x})
        for name in ("out", "executor", "workers", "keep_going", "progress")
    },
    "seeds": lambda x: sweep(swept, {"n": [1]}, seeds=x if not isinstance(x, int) or x < 2**20 else -1, executor="serial"),
    "net": lambda x: simulate(x, {}, 2),
    "stimulus": lambda x: simulate(net(), x, 2),
    "current": lambda x: simulate(net(), {"a": x}, 2),
    "steps": lambda x: simulate(net(), {}, x if not isinstance(x, int | np.ndarray) else -1),
    "record": lambda x: simulate(net(), {}, 2, record=x),
    "cells": lambda x: simulate(net(), {}, 2, record={"a": x}),
    "simulator": lambda x: simulate(net(), {}, 2, simulator=x),
    "device": lambda x: simulate(net(), {}, 2, device=x),
    "dtype": lambda x: simulate(net(), {}, 2, dtype=x),
    "recorded": lambda x: RECORDING[x],
    "marks": lambda x: RECORDING.marked(a=x),
    "counts": lambda x: RECORDING["a"].counts(x),
    "dense steps": lambda x: RECORDING["a"].dense(x),
    "Recording.load": Recording.load,
    "Spikes": lambda x: Spikes(x, x, x, 3),
    "Trains spikes": lambda x: Trains(x, 1.0, 5),
    "Trains dt": lambda x: Trains(FEW.spikes, x, 100),
    "Trains steps": lambda x: Trains(FEW.spikes, 1.0, x if not isinstance(x, int) or x < 100 else -1),
    "Trains batches": lambda x: Trains(FEW.spikes, 1.0, 100, x),
    "Trains start": lambda x: Trains(FEW.spikes, 1.0, 100, 1, x),
    "window start": lambda x: FEW.window(x),
    "window stop": lambda x: FEW.window(0.0, x) if x is not None else None,
    "binned": FEW.binned,
    "activity": FEW.activity,
    **{f"{measure.__name__} trains": measure for measure in (rates, psth, isi, cv, cv2, fano, correlation, synchrony, spectrum)},
    "phase trains": lambda x: phase(x, 5.0),
    "phase period": lambda x: phase(FEW, x),
    "psth bin": lambda x: psth(FEW, x),
    "psth onsets": lambda x: psth(FEW, onsets=x),
    "psth before": lambda x: psth(FEW, before=x),
    "psth after": lambda x: psth(FEW, after=x),
    "fano window": lambda x: fano(FEW, x) if x is not None else None,
    "correlation bin": lambda x: correlation(FEW, x),
    "synchrony bin": lambda x: synchrony(FEW, x),
    "spectrum bin": lambda x: spectrum(FEW, x),
    "spectrum segment": lambda x: spectrum(FEW, segment=x),
    "Recording.rates": lambda x: RECORDING.rates(x),
    "Recording.psth onsets": lambda x: RECORDING.psth("a", 1.0, x),
    "to_nwb": RECORDING.to_nwb,
    "from_nwb": Recording.from_nwb,
    "spikes_from": lambda x: spikes_from(x),
    "spikes_from one": lambda x: spikes_from([x]),
    "spikes_from dt": lambda x: spikes_from([[1.0]], x),
    "spikes_from steps": lambda x: spikes_from([[1.0]], 1.0, x if not isinstance(x, int) or x < 2**20 else -1),
    "spikes_from start": lambda x: spikes_from([[1.0]], 1.0, start=x),
    "spikes_from merge": lambda x: spikes_from([[1.0]], 1.0, merge=x),
    "events": lambda x: spikes_from_events(x, (2, 2, 2)),
    "sensor_size": lambda x: spikes_from_events(SEEN, x),
    "events dt": lambda x: spikes_from_events(SEEN, (2, 2, 2), x),
    "events steps": lambda x: spikes_from_events(SEEN, (2, 2, 2), 1.0, x if not isinstance(x, int) or x < 2**20 else -1),
    "weight_course net": lambda x: weight_course(x, {}, 2),
    "weight_course stimulus": lambda x: weight_course(net(), x, 2),
    "weight_course steps": lambda x: weight_course(learner(), {}, x if not isinstance(x, int) or x < 2**20 else -1),
    "weight_course snapshots": lambda x: weight_course(learner(), {}, 2, x),
    "load_model": load_model,
    "load_network": load_network,
    "ModelSpec": lambda x: ModelSpec(ec=x),
    "ModelSpec name": lambda x: ModelSpec(name=x),
    "with_dim": lambda x: ModelSpec().with_dim(x),
    "NetworkSpec": lambda x: NetworkSpec(**{"kind": x}),
    "sizes": lambda x: load_network("spike-cam").network(cues=x if not isinstance(x, int) or x < 2**40 else -1),
    "from_nir": lambda x: from_nir(x),
    "to_nir": lambda x: to_nir(x),
    "inputs": lambda x: to_nir(net(), x),
    "spec": Hippocampus,
    "Hippocampus seed": lambda x: Hippocampus(None, "cpu", x) if not isinstance(x, int) or x < 0 else None,
    "Hippocampus.load": Hippocampus.load,
    "RateHippocampus": RateHippocampus,
    **{f"Settings {name}": lambda x, n=name: Settings(**{n: x}) for name in Settings.__dataclass_fields__},
    "layer": lambda x: SpikingLayer(x if not isinstance(x, int) or x < 2**20 else -1),
    "layer neuron": lambda x: SpikingLayer(1, x),
    "layer dt": lambda x: SpikingLayer(1, LIF(), x),
    "learn": lambda x: SpikingLayer(1, learn=x),
    "start": lambda x: SpikingLayer(1, start=x),
    "surrogate": lambda x: SpikingLayer(1, surrogate=x),
    "slope": lambda x: SpikingLayer(1, slope=x),
    **{
        f"adaptive {name}": lambda x, n=name: AdaptiveLayer(1, **{n: x})
        for name in ("neuron", "dt", "tau_adaptation", "strength", "learn", "start", "surrogate", "slope")
    },
    **{
        f"delayed {name}": lambda x, n=name: DelayedLinear(**{"in_features": 1, "out_features": 1, "longest": 3.0, n: x})
        for name in ("in_features", "out_features", "longest", "dt", "width", "learn", "seed")
    },
    "delays": lambda x: DelayedLinear(2, 1, 3.0).set_delays(x),
    "delayed spikes": lambda x: DelayedLinear(2, 1, 3.0)(x),
    "scored data": lambda x: Scores(x, accuracy=accuracy),
    **{
        f"scored {name}": lambda x, n=name: Scores([GRAD, GRAD], **{"accuracy": accuracy, n: x})
        for name in ("batch", "predict", "accuracy")
    },
    "layer current": LAYER,
    "fit model": lambda x: fit(x, (torch.ones(2, 2),), lambda m, b: m),
    "fit data": lambda x: fit(LAYER, x, lambda m, b: m(b[0])),
    "fit loss": lambda x: fit(LAYER, (torch.ones(2, 2),), x),
    "fit settings": lambda x: fit(LAYER, (torch.ones(2, 2),), lambda m, b: m, x),
    "load": lambda x: load(x, LAYER),
    "load model": lambda x: load("nowhere", x),
    "save model": lambda x: save("nowhere/at/all", x),
    "pairs": lambda x: pairs("nowhere", x),
    "pairs data": lambda x: pairs(x, "STS-B"),
    "babi": lambda x: babi("nowhere", x, "train"),
    "babi split": lambda x: babi("nowhere", 1, x),
    "Task": lambda x: Task.of("a", "b", ["c"], [("d", {0}, x)]),
    **{f"data {name}": call for name, call in DATASETS.items()},
}


def whole_again(harm: Callable[[Hippocampus, Any], None]) -> Callable[[Hippocampus, Any], None]:
    """A damage that is undone at once, so that the next call meets none."""

    def done(memory: Hippocampus, x: Any) -> None:
        try:
            harm(memory, x)
        finally:
            memory.restore()

    return done


DAMAGE: dict[str, Callable[[Hippocampus, Any], None]] = {
    "lesion": lambda m, x: m.lesion(x, 0.5),
    "share": lambda m, x: m.lesion("ec", x),
    "damage seed": lambda m, x: m.lesion("ec", 0.5, x),
    "cut": lambda m, x: m.cut(x),
    "jitter": lambda m, x: m.jitter("ec->dg", x),
    "bits": lambda m, x: m.bits("ec->dg", x),
    "noise": lambda m, x: m.noise("ec", x),
    "drop": lambda m, x: m.drop("ec", x),
    "leak": lambda m, x: m.leak("ec", x),
}
OF_A_MEMORY: dict[str, Callable[[Hippocampus, Any], object]] = {
    **{name: whole_again(harm) for name, harm in DAMAGE.items()},
    "store": lambda m, x: m.store(x),
    "target": lambda m, x: m.store(units(1, dim=8), x),
    "variants": lambda m, x: m.store(units(1, dim=8), None, x),
    "words": lambda m, x: m.store(units(1, dim=8), words=x),
    "pieces": lambda m, x: m.store(units(1, dim=8), pieces=x),
    "sessions": lambda m, x: m.store(units(1, dim=8), sessions=x),
    "when": lambda m, x: m.store(units(1, dim=8), when=x),
    "teach": lambda m, x: m.teach(x, units(1, dim=8)),
    "teach cue": lambda m, x: m.teach(0, x),
    "apart": lambda m, x: m.teach(0, units(1, dim=8), None, x),
    "associate": lambda m, x: m.associate(x, [0]),
    "variant": lambda m, x: m.store(units(1, dim=8), None, [x]),
    "supersede": lambda m, x: m.supersede(x, [0]),
    "supersede by": lambda m, x: m.supersede([0], x),
    "record": lambda m, x: m.recall(units(1, dim=8), record=x),
    "forget": lambda m, x: m.forget(x) if not isinstance(x, range | int) else None,
    "recall": lambda m, x: m.recall(x),
    "top_k": lambda m, x: m.recall(units(1, dim=8), x),
    "cue words": lambda m, x: m.recall(units(1, dim=8), words=x),
    "around": lambda m, x: m.recall(units(1, dim=8), around=x),
    "cycles": lambda m, x: m.recall(units(1, dim=8), cycles=x),
    "settle": lambda m, x: m.recall(units(1, dim=8), settle=x),
    "attention": lambda m, x: m.recall(units(1, dim=8), attention_cycles=x),
    "reads": lambda m, x: m.reads(x),
    "complete": lambda m, x: m.complete(x),
    "chain": lambda m, x: m.recall_chain(units(1, dim=8), x),
    "contents": lambda m, x: m.contents(x),
    "engrams": lambda m, x: m.engrams(x),
    "save": lambda m, x: m.save(x) if not isinstance(x, str) else None,
}


SEEN_INSIDE = simulate(net(), {"a": [[0.3, 0.4]]}, 5, record={"a": [0, 1]})
CURVE, EVEN, PICTURED = {4: 0.2, 16: 0.1}, np.eye(2), {"event": RECORDING}
OF_PLOTS: dict[str, Callable[[Any], object]] = {
    "raster": plots.raster,
    "raster population": lambda x: plots.raster(RECORDING, x),
    "raster batch": lambda x: plots.raster(RECORDING, batch=x),
    "raster title": lambda x: plots.raster(RECORDING, title=x),
    **{f"{plot.__name__} recording": plot for plot in (plots.rates, plots.psth, plots.isi, plots.cv, plots.cv2, plots.fano)},
    **{f"{plot.__name__} recording": plot for plot in (plots.synchrony, plots.spectrum, plots.animation, plots.network)},
    **{f"{name} population": lambda x, n=name: getattr(plots, n)(RECORDING, x) for name in ("rates", "psth", "isi", "cv", "synchrony")},
    "rates bin": lambda x: plots.rates(RECORDING, bin=x),
    "rates batch": lambda x: plots.rates(RECORDING, bin=1.0, batch=x),
    "rates title": lambda x: plots.rates(RECORDING, bin=1.0, title=x),
    "psth bin": lambda x: plots.psth(RECORDING, bin=x),
    "synchrony bin": lambda x: plots.synchrony(RECORDING, bin=x),
    "correlation bin": lambda x: plots.correlation(RECORDING, "a", x),
    "isi bins": lambda x: plots.isi(RECORDING, bins=x),
    "correlation": lambda x: plots.correlation(x, "a"),
    "correlation of": lambda x: plots.correlation(RECORDING, x, 1.0),
    "voltages": lambda x: plots.voltages(x, "a"),
    "voltages of": lambda x: plots.voltages(RECORDING, x),
    "voltages cells": lambda x: plots.voltages(SEEN_INSIDE, "a", x),
    "phase recording": lambda x: plots.phase(x, period=5.0),
    "phase period": lambda x: plots.phase(RECORDING, period=x),
    "phase bins": lambda x: plots.phase(RECORDING, period=5.0, bins=x),
    "animation frame": lambda x: plots.animation(RECORDING, frame=x),
    "animation fps": lambda x: plots.animation(RECORDING, fps=x),
    "weights": plots.weights,
    "weights title": lambda x: plots.weights([[0.5]], x),
    "weights_over_time": plots.weights_over_time,
    "weights_over_time batch": lambda x: plots.weights_over_time(COURSE, x),
    "network title": lambda x: plots.network(net(), x),
    "drives": plots.drives,
    "drives title": lambda x: plots.drives([Hit(0, "a", 1.0, drives={"meaning": 1.0})], x),
    "agreement": lambda x: plots.agreement(x, "a"),
    "agreement recording": lambda x: plots.agreement({"event": RECORDING, "torch": x}, "a"),
    "agreement population": lambda x: plots.agreement(PICTURED, x),
    "agreement batch": lambda x: plots.agreement(PICTURED, "a", x),
    "membrane time": lambda x: plots.membrane(x, {"a": [1, 2]}, [3, 4], {}),
    "membrane drive": lambda x: plots.membrane([0, 1], x, [3, 4], {}),
    "membrane drive of a cell": lambda x: plots.membrane([0, 1], {"a": x}, [3, 4], {}),
    "membrane level": lambda x: plots.membrane([0, 1], {"a": [1, 2]}, x, {}),
    "membrane spikes": lambda x: plots.membrane([0, 1], {"a": [1, 2]}, [3, 4], x),
    "membrane spikes of a cell": lambda x: plots.membrane([0, 1], {"a": [1, 2]}, [3, 4], {"a": x}),
    "similarity text": lambda x: plots.similarity(x, EVEN),
    "similarity engram": lambda x: plots.similarity(EVEN, x),
    "attention labels": lambda x: plots.attention(x, [1], [1], CURVE),
    "attention spiking": lambda x: plots.attention(["a"], x, [1], CURVE),
    "attention rate": lambda x: plots.attention(["a"], [1], x, CURVE),
    "attention curve": lambda x: plots.attention(["a"], [1], [1], x),
    "attention value": lambda x: plots.attention(["a"], [1], [1], {5: x}),
    "rows": plots.rows,
    "rows sharpness": lambda x: plots.rows([Row("a", 1.0, 0.9, 20)], x),
    "regions": plots.regions,
    "retrieval": plots.retrieval,
    **{f"cost {i}": lambda x, i=i: plots.cost(*(x if i == k else 1.0 for k in range(4))) for i in range(4)},
    "losses": plots.losses,
    "losses of one": lambda x: plots.losses({"a": x}),
    "losses validation": lambda x: plots.losses({"a": [1.0]}, x),
    "losses validation of one": lambda x: plots.losses({"a": [1.0]}, {"a": x}),
    "story_gates sentences": lambda x: plots.story_gates(x, {"update": EVEN}),
    "story_gates gates": lambda x: plots.story_gates(["a", "b"], x),
    "story_gates gate": lambda x: plots.story_gates(["a", "b"], {"update": x}),
    "story_gates title": lambda x: plots.story_gates(["a", "b"], {"update": EVEN}, x),
    "changes": plots.changes,
    "changes of one": lambda x: plots.changes({"a": x}),
    "changes events": lambda x: plots.changes({"a": (x, [0.1, 0.2])}),
    "changes columns": lambda x: plots.changes({"a": ([0.1, 0.3], [0.1, 0.2])}, x),
    "differences": plots.differences,
    "differences of one": lambda x: plots.differences({"a": x}),
    "differences value": lambda x: plots.differences({"a": {4: x}}),
    "bench": plots.bench,
    "bench row": lambda x: plots.bench([x]),
    "task_errors": plots.task_errors,
    "task_errors of one": lambda x: plots.task_errors({"a": x}),
    "task_errors value": lambda x: plots.task_errors({"a": {4: x}}),
}
TINY = ModelSpec(
    **{
        **load_model("hippocampus-small").model_dump(),
        "ec": {"dim": 8},
        "dg": {"cells": 128, "winners": 8, "fan_in": 4},
        "ca3": {"core": 4},
    }
)
STORED = units(3, dim=8)
HARM = (compare_damage.Harm("none", lambda memory: None, Damage()),)
PAIR = Pair.of(TINY, STORED)
TALK = Task.of("mine", "talk", ["a", "b"], [("c", {0}, "")])


class Lists:
    """A system that ranks texts in their order."""

    name, events = "lists", math.nan

    def fit(self, task: Task, vectors: Any) -> None: ...

    def rank(self, questions: Any, k: int) -> Any:
        return np.tile(np.arange(2), (len(questions), 1))


def embedded(texts: Any, progress: Any = None) -> Any:
    return units(len(texts), dim=8)


embedded.name, embedded.embed = "units", embedded  # type: ignore[attr-defined]


def answered(folder: Path, **given: Any) -> object:
    """A run of one system on one task, but for what is given."""
    return retrieval.run(**{"tasks": [TALK], "embedder": embedded, "out": folder, "makers": [Lists], **given})


OF_COMPARISONS: dict[str, Callable[[Any], object]] = {
    "compare_pairs spec": lambda x: compare_pairs(x, embedded, [("a", "b")]),
    "compare_pairs embed": lambda x: compare_pairs(TINY, x, [("a", "b")]) if not callable(x) else None,
    "compare_pairs vectors": lambda x: compare_pairs(TINY, lambda texts, progress: x, [("a", "b")]),
    "compare_pairs pairs": lambda x: compare_pairs(TINY, embedded, x),
    "compare_pairs pair": lambda x: compare_pairs(TINY, embedded, [x]),
    "compare_pairs memory": lambda x: compare_pairs(TINY, embedded, [(x, "b")]),
    "compare_pairs cue": lambda x: compare_pairs(TINY, embedded, [("a", x)]),
    "compare_pairs seed": lambda x: compare_pairs(TINY, embedded, [("a", "b")], x),
    "Pair spiking": lambda x: Pair(x, PAIR.rate),
    "Pair rate": lambda x: Pair(PAIR.spiking, x),
    "Pair vectors": lambda x: Pair(PAIR.spiking, PAIR.rate, x),
    "Pair variants": lambda x: Pair(PAIR.spiking, PAIR.rate, STORED, x),
    "Pair.of spec": lambda x: Pair.of(x, STORED),
    "Pair.of vectors": lambda x: Pair.of(TINY, x),
    "Pair.of variants": lambda x: Pair.of(TINY, STORED, x),
    "Pair.of variant": lambda x: Pair.of(TINY, STORED, [None, x, None]),
    "Pair.of links": lambda x: Pair.of(TINY, STORED, links=x),
    "Pair.of link": lambda x: Pair.of(TINY, STORED, links=[x]),
    "Pair.of end of a link": lambda x: Pair.of(TINY, STORED, links=[(0, x)]),
    "Pair.of seed": lambda x: Pair.of(TINY, STORED, seed=x),
    "Pair.nearest": PAIR.nearest,
    "Pair.first": PAIR.first,
    "Pair.chains name": lambda x: PAIR.chains(x, STORED, [[1], [2], [0]]),
    "Pair.chains cues": lambda x: PAIR.chains("a", x, [[1], [2], [0]]),
    "Pair.chains expected": lambda x: PAIR.chains("a", STORED, x),
    "Answers.row name": lambda x: PAIR.first(STORED).row(x, [0, 1, 2]),
    "Answers.row expected": lambda x: PAIR.first(STORED).row("a", x),
    "attention_tv pair": lambda x: attention_tv(x, STORED, 2),
    "attention_tv cues": lambda x: attention_tv(PAIR, x, 2),
    "attention_tv cycles": lambda x: attention_tv(PAIR, STORED, x),
    "by_region pair": lambda x: by_region(x, STORED, STORED, ["event"], 2),
    "by_region vectors": lambda x: by_region(PAIR, x, STORED, ["event"], 2),
    "by_region cues": lambda x: by_region(PAIR, STORED, x, ["event"], 2),
    "by_region simulators": lambda x: by_region(PAIR, STORED, STORED, x, 0),
    "by_region simulator": lambda x: by_region(PAIR, STORED, STORED, [x], 2),
    "by_region cycles": lambda x: by_region(PAIR, STORED, STORED, ["event"], x),
    "lost region": lambda x: compare_damage.lost(x, 0.5),
    "lost share": lambda x: compare_damage.lost("ec", x),
    "dropped": compare_damage.dropped,
    "jittered": compare_damage.jittered,
    "noisy region": lambda x: compare_damage.noisy(x, 0.1),
    "noisy scale": lambda x: compare_damage.noisy("ec", x),
    "leaky region": lambda x: compare_damage.leaky(x, 5.0),
    "leaky tau": lambda x: compare_damage.leaky("ec", x),
    "compare_damage models": lambda x: compare_damage.compare_damage(x, STORED, STORED, [{0}, {1}, {2}], HARM),
    "compare_damage vectors": lambda x: compare_damage.compare_damage({"a": PAIR.spiking}, x, STORED, [{0}] * 3, HARM),
    "compare_damage cues": lambda x: compare_damage.compare_damage({"a": PAIR.spiking}, STORED, x, [{0}] * 3, HARM),
    "compare_damage right": lambda x: compare_damage.compare_damage({"a": PAIR.spiking}, STORED, STORED, x, HARM),
    "compare_damage harms": lambda x: compare_damage.compare_damage({"a": PAIR.spiking}, STORED, STORED, [{0}] * 3, x),
    "Asked.of task": lambda x: compare_damage.Asked.of(x, 1, 1),
    "Asked.of memories": lambda x: compare_damage.Asked.of(TALK, x, 1),
    "Asked.of cues": lambda x: compare_damage.Asked.of(TALK, 1, x),
    "found task": lambda x: retrieval.found(x, [[0]]),
    "found ranks": lambda x: retrieval.found(TALK, x),
    "found sessions": lambda x: retrieval.found(TALK, [[0]], x),
    "measure task": lambda x: retrieval.measure(x, Lists()),
    "measure system": lambda x: retrieval.measure(TALK, x),
    "timed": lambda x: retrieval.timed(x, ["a"]),
    "timed system": lambda x: retrieval.timed([x], ["a"]),
    "timed questions": lambda x: retrieval.timed([Lists()], x),
}
OF_RUNS: dict[str, Callable[[Path, Any], object]] = {
    "tasks": lambda path, x: answered(path, tasks=x),
    "task": lambda path, x: answered(path, tasks=[x]),
    "embedder": lambda path, x: answered(path, embedder=x),
    "out": lambda path, x: answered(path, out=x),
    "makers": lambda path, x: answered(path, makers=x),
    "maker": lambda path, x: answered(path, makers=[x]),
    "system": lambda path, x: answered(path, makers=[lambda: x]),
    "fresh": lambda path, x: answered(path, fresh=x),
    "make_folder": lambda path, x: retrieval.make_folder(x),
    "write file": lambda path, x: retrieval.write(x, "a"),
    "write content": lambda path, x: retrieval.write(path / "a", x),
}
LAYERS: dict[str, Any] = {"batch": 1, "steps": 2, "cells": (2, 2, 2)}


def few(value: Any) -> Any:
    """The value, but for numbers of times that would take for ever, and for True, which would compile."""
    return -1 if value is True or (isinstance(value, int) and value > 3) else value


OF_TRAININGS: dict[str, Callable[[Any], object]] = {
    "PlainLoop": bench_training.PlainLoop,
    "PlainLoop neuron": lambda x: bench_training.PlainLoop((2, 2), x),
    "layers linear": lambda x: bench_training.layers(x, cells=(2, 2)),
    "layers fused": lambda x: bench_training.layers(fused=x, cells=(2, 2)),
    "layers cells": lambda x: bench_training.layers(cells=x),
    "layers cell": lambda x: bench_training.layers(cells=[2, x]),
    **{f"task {i}": lambda x, i=i: bench_training.task(*(x if i == k else y for k, y in enumerate((1, 2, (2, 2), 0)))) for i in range(4)},
    **{f"throughput {name}": lambda x, n=name: bench_training.throughput(**{"runs": 1, **LAYERS, n: few(x)})
       for name in ("device", "compiled", "runs", "batch", "steps", "cells", "seed")},
    **{f"curves {name}": lambda x, n=name: bench_training.curves(**{"count": 1, **LAYERS, n: few(x)})
       for name in ("device", "count", "batch", "steps", "cells", "seed")},
}  # fmt: skip
RATE, VOLLEY, TEXTS = RateHippocampus(TINY), on_off(8, 1.0), Memory.open(None, "hippocampus-small", embedder=FakeEmbedder())
RATE.store(STORED)
TEXTS.store_all(["a b", "c d", "e f"])
OF_PARTS: dict[str, Callable[[Any], object]] = {
    "rate store": lambda x: RateHippocampus(TINY).store(x),
    "rate target": lambda x: RATE.store(STORED[:1], x),
    "rate variants": lambda x: RATE.store(STORED[:1], None, x),
    "rate variant": lambda x: RATE.store(STORED[:1], None, [x]),
    "rate associate": lambda x: RATE.associate(x, [0]),
    "rate recall": RATE.recall,
    "rate top_k": lambda x: RATE.recall(STORED, x),
    "rate at": RATE.at,
    "rate chain": RATE.recall_chain,
    "fair_sharpness memory": lambda x: fair_sharpness(x, STORED),
    "fair_sharpness vectors": lambda x: fair_sharpness(RATE, x),
    "fair_sharpness seed": lambda x: fair_sharpness(RATE, STORED, x),
    "on_off dim": lambda x: on_off(x, 1.0),
    "words text": lambda x: words(x, 64),
    "words cells": lambda x: words("a text", x),
    "on_off charge": lambda x: on_off(2, x),
    "fidelity code": lambda x: fidelity(x, STORED),
    "fidelity vectors": lambda x: fidelity(VOLLEY, x),
    "fidelity block": lambda x: fidelity(VOLLEY, STORED, x),
    **{f"VolleyCode {verb}": getattr(VOLLEY, verb) for verb in ("encode", "decode", "counts", "drive", "current", "load")},
    **{
        f"VolleyCode {name}": lambda x, n=name: VolleyCode(**{**{f: getattr(VOLLEY, f) for f in VolleyCode.__dataclass_fields__}, n: x})
        for name in VolleyCode.__dataclass_fields__
    },
    **{f"LatencyCode {name}": lambda x, n=name: LatencyCode(**{"dim": 8, "width": 1.0, n: x}) for name in ("dim", "width", "steps")},
    **{f"ZScoreCode {name}": lambda x, n=name: ZScoreCode(**{"dim": 8, "k": 2, n: x}) for name in ("dim", "k")},
    **{
        f"{type(code).__name__} {verb} a code": getattr(code, verb)
        for code in (LatencyCode(8, 1.0), ZScoreCode(8, 2))
        for verb in ("encode", "decode")
    },
    "moved": lambda x: moved(torch.ones(1), x),
    "Watch": Watch,
    "HebbianMemory keys": lambda x: HebbianMemory(x, 2),
    "HebbianMemory steps": lambda x: HebbianMemory(2, 2, x),
    "HebbianMemory rule": lambda x: HebbianMemory(2, 2, rule=x),
    "FastHebbian write": lambda x: FastHebbian().write(x, x),
    "Linear in": lambda x: Linear(x, 2),
    "Linear out": lambda x: Linear(2, x),
    "register": register,
    "CachedEmbedder": lambda x: CachedEmbedder(x, "cache") if not isinstance(x, str | None) else None,
    "CachedEmbedder folder": lambda x: CachedEmbedder(FakeEmbedder(), x) if not isinstance(x, str) else None,
    "read_conversation": read_conversation,
    "SentenceEmbedder": SentenceEmbedder,
    "pooled": retrieval.pooled,
    "pooled pair": lambda x: retrieval.pooled([x]),
    "pooled results": lambda x: retrieval.pooled([(TALK, x)]),
    "pooled result": lambda x: retrieval.pooled([(TALK, {"a": x})]),
    "Cosine.fit": lambda x: evaluate.Cosine().fit(x, embedded),
    "Cosine.fit vectors": lambda x: evaluate.Cosine().fit(TALK, x) if not callable(x) else None,
    "MemorySystem.fit": lambda x: evaluate.MemorySystem().fit(x, embedded),
    **{f"Memory.{verb}": getattr(TEXTS, verb) for verb in ("store", "recall", "get", "restore", "import_", "forget", "store_conversation")},
    "Memory.store when": lambda x: TEXTS.store("z", when=x),
    "Memory.store scope": lambda x: TEXTS.store("z", scope=x),
    "Memory.store value of scope": lambda x: TEXTS.store("z", scope={"user": x}),
    "Memory.store metadata": lambda x: TEXTS.store("z", metadata=x),
    "Memory.recall record": lambda x: TEXTS.recall("a", record=x) if x is not True else None,
    "Memory.recall around": lambda x: TEXTS.recall("a", around=x),
    "Memory.recall where": lambda x: TEXTS.recall("a", where=x),
    "Memory.associate": lambda x: TEXTS.associate(x, 1),
    "Memory.associate to": lambda x: TEXTS.associate(0, x),
    "Memory.associate_all": lambda x: TEXTS.associate_all([x]),
    "Memory.export": lambda x: list(TEXTS.export(vectors=x)),
    "Memory[]": lambda x: TEXTS[x],
}
ANSWERED = [RetrievalRow("mine", "cosine", 20, {"hit@1": 0.5})]
OF_MEASUREMENTS: dict[str, Callable[[Any], object]] = {
    "wilson share": lambda x: wilson(x, 20),
    "wilson n": lambda x: wilson(0.5, x),
    "total_variation": lambda x: total_variation({1: 1.0}, x),
    "total_variation value": lambda x: total_variation({1: x}, {1: 1.0}),
    "shares memories": lambda x: shares(x, [0.5]),
    "shares weights": lambda x: shares([1], x),
    "BM25 k1": lambda x: evaluate.BM25(x),
    "BM25 b": lambda x: evaluate.BM25(0.9, x),
    "Faiss": lambda x: evaluate.Faiss(x),
    "Sum": lambda x: evaluate.Sum(x),
    "Neighbours": lambda x: evaluate.Neighbours(x),
    "Neighbours context": lambda x: evaluate.Neighbours(evaluate.Cosine(), x),
    **{
        f"MemorySystem {name}": lambda x, n=name: evaluate.MemorySystem(**{n: x})
        for name in ("rate", "plain", "ablation", "damage", "model", "seed")
    },
    "lesioned": lambda x: evaluate.lesioned(x, ["words"]),
    "lesioned cut": lambda x: evaluate.lesioned(ModelSpec(), x),
    "lesioned pathway": lambda x: evaluate.lesioned(ModelSpec(), [x]),
    "measures": retrieval.measures,
    "short": retrieval.short,
    "table": retrieval.table,
    "table row": lambda x: retrieval.table([*ANSWERED, x]),
    "by_kind": retrieval.by_kind,
    "markdown": retrieval.markdown,
    "datasets_of": retrieval.datasets_of,
    "rows of a file": retrieval.load,
    "bench cells": lambda x: evaluate.bench.recurrent(x if not isinstance(x, int) or x < 2**40 else -1, 1, 1, 0),
    "bench fan_in": lambda x: evaluate.bench.recurrent(2, x, 1, 0),
    "bench steps": lambda x: evaluate.bench.recurrent(2, 1, x, 0),
    "bench seed": lambda x: evaluate.bench.recurrent(2, 1, 1, x),
    "bench names": lambda x: evaluate.bench.simulators(2, 1, 1, [x]),
    "bench runs": lambda x: evaluate.bench.simulators(2, 1, 1, ["event"], x if not isinstance(x, int) else -1),
    "validate models": lambda x: next(evaluate.validate.validate([x], ["torch"])),
    "validate simulators": lambda x: next(evaluate.validate.validate(["spike-cam"], [x])),
    "validate seed": lambda x: next(evaluate.validate.validate(["spike-cam"], ["event"], x if not isinstance(x, int) or x < 0 else -1)),
}
OF_FUNCTIONS = ("synapses", "fit data", "fit loss", "maker")
"""Calls that take a function, which may raise what it likes."""


def taken_or_named(call: Callable[[Any], object], name: str = "") -> list[str]:
    """What a call raised that is no SpikememError, with the value that it was given."""
    raised = []
    for i, value in enumerate(ODD):
        if callable(value) and name in OF_FUNCTIONS:
            continue
        try:
            call(value)
        except SpikememError:
            continue
        except Exception as error:
            raised.append(f"value {i} ({type(value).__name__}): {type(error).__name__}: {error}"[:200])
    return raised


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_odd_arguments_are_named(name: str) -> None:
    assert taken_or_named(CALLS[name], name) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_PLOTS)
def test_odd_arguments_of_a_picture_are_named(name: str) -> None:
    assert taken_or_named(OF_PLOTS[name]) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_MEASUREMENTS)
def test_odd_arguments_of_a_measurement_are_named(name: str) -> None:
    assert taken_or_named(OF_MEASUREMENTS[name]) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_COMPARISONS)
def test_odd_arguments_of_a_comparison_are_named(name: str) -> None:
    assert taken_or_named(OF_COMPARISONS[name]) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_PARTS)
def test_odd_arguments_of_a_part_are_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert taken_or_named(OF_PARTS[name]) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_RUNS)
def test_odd_arguments_of_a_run_are_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert taken_or_named(lambda value: OF_RUNS[name](tmp_path / "out", value), name) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_TRAININGS)
def test_odd_arguments_of_a_training_that_is_timed_are_named(name: str) -> None:
    assert taken_or_named(OF_TRAININGS[name]) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_A_MEMORY)
def test_odd_arguments_of_a_hippocampus_are_named(name: str, memory: Hippocampus) -> None:
    assert taken_or_named(lambda value: OF_A_MEMORY[name](memory, value)) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: Dense([[1 + 1j]]),
        lambda: Sparse([0, 1], [0.9], [1.0], 2),
        lambda: Sparse([0, 1], [2**32 + 1], [1.0], 2**20),
        lambda: LIF(tau="5"),
        lambda: LIF(tau=10**400),
        lambda: KWinners(k=True),
        lambda: Network(dt="1"),
        lambda: Population("a\0", 1),
        lambda: Population("a", 1, "LIF"),
        lambda: Population("a", 2**64),
        lambda: simulate(net(), {}, True),
        lambda: simulate(net(), {}, 2, record=["a"]),
        lambda: OneBit(np.zeros((1, 1), np.uint64), [2**63 - 40], 64),
        lambda: simulate(net(), {"a": np.zeros((1, 3, 2))}, 2)["a"].counts(0),
        lambda: RECORDING.marked(a=[-1]),
        lambda: RECORDING["a"].dense(2**40),
        lambda: all_to_all()(10**6, 10**6),
        lambda: ModelSpec(ec={"dim": 10**6}),
        lambda: ModelSpec().with_dim(10**6),
        lambda: ModelSpec(other=1),
    ],
)
def test_what_was_taken_or_changed_in_silence_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(SpikememError):
        call()


def test_numbers_of_numpy_and_torch_are_taken_where_pythons_are() -> None:
    assert KWinners(np.float32(25), np.int64(2)) == KWinners(25.0, 2)
    assert type(KWinners(k=np.uint8(2)).k) is int
    assert LIF(tau=torch.tensor(5.0, requires_grad=True)) == LIF(tau=np.array(5)) == LIF(tau=5)
    assert Dense(torch.ones(1, 2, requires_grad=True)).weights.tolist() == [[1.0, 1.0]]
    assert simulate(net(), {"a": torch.full((2,), 0.3, requires_grad=True)}, np.int32(2)).steps == 2


def test_a_torch_tensor_with_a_gradient_is_a_vector(memory: Hippocampus) -> None:
    vectors = torch.tensor(units(3, dim=8), requires_grad=True)
    np.testing.assert_array_equal(memory.recall(vectors).ids, memory.recall(units(3, dim=8)).ids)


def test_a_recall_of_a_hundred_million_is_refused_at_once(memory: Hippocampus) -> None:
    with pytest.raises(VectorError, match=r"top_k is 100000000; it must be a whole number, .*at most 131,072"):
        memory.recall(units(1, dim=8), 10**8)
    assert memory.recall(units(1, dim=8), 100_000).ids.shape == (1, 100_000)


def test_an_iterator_is_read_once(memory: Hippocampus) -> None:
    ids = memory.store(units(2, 5, dim=8), variants=(v for v in (None, units(1, 6, dim=8))), pieces=iter([0, 1]))
    assert len(ids) == 2


def test_numbers_that_look_like_spikes_are_warned_of_and_bools_are_not() -> None:
    spikes = np.random.default_rng(0).random((20, 2)) < 0.3
    for numbers in (spikes.astype(float), spikes.astype(np.int64)):
        with pytest.warns(UserWarning, match="give them as bool"):
            simulate(net(), {"a": numbers}, 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(net(), {"a": spikes}, 20)
        simulate(net(), {"a": np.ones((20, 2))}, 20)
        simulate(net(), {"a": spikes * 0.5}, 20)


def test_the_default_wiring_of_two_projections_differs_and_is_the_same_each_time() -> None:
    def wired() -> list[list[list[float]]]:
        made = Network(1.0)
        for name in "abc":
            made.add(Population(name, 20))
        ways = [made.connect(*pair, sparse_random(3)) for pair in (("a", "b"), ("a", "c"), ("a", "b"))]
        return [way.synapses.matrix().tolist() for way in ways]

    first, second, third = wired()
    assert first != second
    assert first != third
    assert wired() == [first, second, third]


def test_a_seed_wires_as_it_did() -> None:
    made = net().connect("b", "a", sparse_random(2, 7)).synapses.matrix()
    np.testing.assert_array_equal(made, sparse_random(2, 7)(3, 2).matrix())


def test_fit_leaves_the_random_numbers_of_torch_as_they_were() -> None:
    model, settings = torch.nn.Linear(2, 1), Settings(epochs=1, device="cpu")
    before = torch.get_rng_state()
    fit(model, (torch.ones(4, 2),), lambda m, b: m(b[0]).mean(), settings, progress=lambda done, whole: None)
    assert torch.equal(torch.get_rng_state(), before)


def test_messages_name_argument_value_expectation_and_mend() -> None:
    check = Checks(StimulusError)
    for call, message in (
        (lambda: check.integer(2.5, "k", least=1), "k is 2.5; it must be a whole number, at least 1"),
        (lambda: check.indices([1, 9], "cells", 5), "cells: 1 to 9, which reaches outside 0 to 4"),
        (lambda: check.path("a\0"), r"path is 'a\x00'; it must be a path, a str or a Path, of at most 4096 bytes, 255 a part, without NUL"),
        (lambda: check.listed("ab", "cues", "texts"), "cues is 'ab'; it must be a list of texts"),
        (lambda: check.finite(Odd(), "tau"), "tau is a Odd; it must be a number, finite"),
    ):
        with pytest.raises(StimulusError) as raised:
            call()  # type: ignore[no-untyped-call]
        assert str(raised.value) == message


def test_a_refused_argument_is_of_the_error_that_its_call_documents() -> None:
    for error, call in (
        (NetworkError, lambda: LIF(tau=-1)),
        (SpecError, lambda: ModelSpec(load=0)),
        (StimulusError, lambda: simulate(net(), {}, 0)),
    ):
        with pytest.raises(error):
            call()
