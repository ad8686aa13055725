"""A trained code in the hippocampus: short cuts against spikes, in every simulator, and what its synapses carry."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.errors import SnapshotError, SpecError
from spikemem.hippocampus.codes import VolleyCode
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.hippocampus.spec import weights_file
from spikemem.network.modelfile import MODELS
from tests.fakes import near, units
from tests.marks import first_is_fast

ANSWERS = ("ids", "scores", "vectors", "novelty", "competitors", "attention", "events", "path")
SHIPPED = "ec-minilm"


def with_weights(spec: ModelSpec, weights: str = SHIPPED) -> ModelSpec:
    return spec.model_copy(update={"ec": spec.ec.model_copy(update={"weights": weights})})


@pytest.fixture(scope="module")
def trained(small: ModelSpec) -> ModelSpec:
    return with_weights(small)


def filled(spec: ModelSpec, n: int = 100) -> Hippocampus:
    memory = Hippocampus(spec, seed=1)
    ids = memory.store(units(n))
    memory.associate(ids[:-1][ids[:-1] % 10 != 9], ids[1:][ids[:-1] % 10 != 9])
    return memory


def cues() -> np.ndarray:
    return np.concatenate([units(100)[:4], near(units(100)[20:26], 0.7), near(units(100)[30:34], 0.4), units(3, seed=30), np.eye(384)[:2]])


def test_shipped_codes_have_a_file_each_and_few_dead_cells() -> None:
    for path in (MODELS / "weights").glob("ec-*.safetensors"):
        code = VolleyCode.load(path)
        assert weights_file(path.stem) == path
        fires = code.encode(units(300, dim=code.dim)).any(axis=(0, 1))
        assert fires.mean() >= 0.98


@pytest.mark.slow
def test_the_volley_is_the_codes(trained: ModelSpec) -> None:
    x = ec.unit(cues(), 384)
    n, spikes = ec.volley(trained.ec, x)
    code = ec.code(trained.ec)
    fired = code.encode(x)
    np.testing.assert_array_equal(n, code.counts(fired))
    np.testing.assert_array_equal(spikes, fired.sum(axis=0)[:, :384] + fired.sum(axis=0)[:, 384:])
    assert np.abs(n).max() <= 11
    cosine = (ec.decode(trained.ec, n)[:10] * x[:10]).sum(1) / np.linalg.norm(ec.decode(trained.ec, n)[:10], axis=1)
    assert cosine.min() > 0.985


@pytest.mark.parametrize("layer_two", [1.0, 0.375])
@pytest.mark.parametrize(("top_k", "settle", "cycles"), first_is_fast((1, 2, 2), (30, 1, 5), (3, 5, 7)))
def test_a_recall_is_what_the_spikes_say(trained: ModelSpec, layer_two: float, top_k: int, settle: int, cycles: int) -> None:
    spec = trained.model_copy(update={"ec": trained.ec.model_copy(update={"layer_two": layer_two})})
    memory = filled(spec)
    short = memory.recall(cues(), top_k, settle=settle, attention_cycles=cycles)
    spiking = memory.recall(cues(), top_k, settle=settle, attention_cycles=cycles, record=True)
    for name in ANSWERS:
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)
    assert spiking.recording is not None
    np.testing.assert_array_equal(ec.counted(spec.ec, spiking.recording), ec.encode(spec.ec, ec.unit(cues(), 384)))
    assert spiking.ids[:4, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("layer_two", [1.0, 0.375])
def test_a_chain_is_what_the_spikes_say(trained: ModelSpec, layer_two: float) -> None:
    spec = trained.model_copy(update={"ec": trained.ec.model_copy(update={"layer_two": layer_two})})
    memory = filled(spec)
    cue = np.concatenate([units(100)[:12], near(units(100)[40:46], 0.8)])
    short = memory.recall_chain(cue, hops=4)
    np.testing.assert_array_equal(memory.read_chain(memory.simulate_chain(cue, hops=4)), short)
    assert short[0].tolist() == [1, 2, 3, 4]


@pytest.mark.slow
def test_words_beside_a_trained_code(small_text: ModelSpec) -> None:
    memory = Hippocampus(with_weights(small_text), seed=2)
    x, given_words = units(40), [words(f"the {i} of {i % 7}", small_text.lex.cells) for i in range(40)] if small_text.lex else []
    memory.store(x, words=[[w] for w in given_words], sessions=np.zeros(40, np.int64))
    short = memory.recall(near(x[:8], 0.6), 5, words=given_words[:8])
    spiking = memory.recall(near(x[:8], 0.6), 5, words=given_words[:8], record=True)
    for name in ANSWERS:
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["torch", "snntorch", "norse", "brian2"])
def test_every_simulator_spikes_alike(trained: ModelSpec, simulator: str) -> None:
    if simulator != "torch" and importlib.util.find_spec(simulator) is None:
        pytest.skip(f"{simulator} is not installed")
    memory = filled(trained, 40)
    cue = cues()[[0, 5, 11]]
    whole = memory.simulate_chain(cue, 1)
    other = memory.simulate_chain(cue, 1, simulator=simulator)
    for name, spikes in whole.spikes.items():
        np.testing.assert_array_equal(other[name].step, spikes.step, err_msg=name)
        np.testing.assert_array_equal(other[name].cell, spikes.cell, err_msg=name)
    assert other.events == whole.events


def test_a_snapshot_keeps_the_code(trained: ModelSpec, tmp_path: Path) -> None:
    memory = filled(trained, 40)
    back = Hippocampus.load(memory.save(tmp_path / "memory.safetensors"))
    assert back.spec.ec.weights == SHIPPED
    np.testing.assert_array_equal(back.recall(cues(), 3).ids, memory.recall(cues(), 3).ids)


def test_a_model_file_names_weights(trained: ModelSpec, small: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(trained.to_toml())
    assert load_model(path) == trained
    path.write_text(small.to_toml())
    assert load_model(path) == small
    with pytest.raises(SpecError, match="384 dimensions"):
        ec.code(with_weights(small).with_dim(64).ec)
    with pytest.raises(SnapshotError, match="cannot be read"):
        Hippocampus(with_weights(small, "nothing"))


def test_synapses_carry_fewer_spikes(small: ModelSpec, trained: ModelSpec) -> None:
    """The same memories, by less than half the synaptic events."""
    plain, learned = filled(small).recall(cues()[:10], 3), filled(trained).recall(cues()[:10], 3)
    np.testing.assert_array_equal(plain.ids[:4, 0], learned.ids[:4, 0])
    assert learned.events.mean() < 0.6 * plain.events.mean()
