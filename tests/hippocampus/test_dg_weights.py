"""Trained synapses of DG: what they change, short cut against spikes in every simulator, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.errors import SnapshotError, SpecError
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.dg import BLOCK, GRID, Adaptation
from spikemem.hippocampus.regions.dg_trained import dentate, save_shape, trained_shape
from spikemem.network.modelfile import MODELS
from tests.fakes import near, units

ANSWERS = ("ids", "scores", "vectors", "novelty", "latency", "attention", "keys")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    """The small engram model with a shape that doubles the first half of the dimensions."""
    file = save_shape(tmp_path_factory.mktemp("weights") / "dg.safetensors", np.diag(np.repeat([2.0, 1.0], 192)).astype(np.float32))
    return with_weights(load_model("hippocampus-engram-small"), str(file))


def with_weights(spec: ModelSpec, weights: str) -> ModelSpec:
    return spec.model_copy(update={"dg": spec.dg.model_copy(update={"weights": weights})})


def filled(spec: ModelSpec, n: int = 60) -> Hippocampus:
    memory = Hippocampus(spec, seed=1)
    memory.store(units(n))
    return memory


def same(memory: Hippocampus, simulator: str) -> None:
    cues = near(units(60), 0.6)[:2]
    short, whole = memory.recall(cues, top_k=2), memory.recall(cues, top_k=2, record=True, simulator=simulator)
    for name in ANSWERS:
        np.testing.assert_array_equal(getattr(short, name), getattr(whole, name), name)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["event", "torch", "snntorch", "norse", "brian2"])
def test_every_simulator_recalls_what_the_short_cut_does(spec: ModelSpec, simulator: str) -> None:
    same(filled(spec), simulator)


def test_the_weights_shape_the_synapses(spec: ModelSpec) -> None:
    """Before anything is stored a cell's weights are Gaussian, and those of what A doubles twice as large; all cells have one variance."""
    dg = dentate(spec, seed=1)
    assert dg.weights.shape == (spec.dg.cells, 384)
    size = np.sqrt((dg.weights**2).mean(axis=0))
    assert size[:192].mean() / size[192:].mean() == pytest.approx(2.0, rel=0.02)
    np.testing.assert_array_equal(dg.weights / GRID, np.round(dg.weights / GRID))
    np.testing.assert_allclose((dg.weights**2).sum(1), 1 / ec.charge(spec.ec) ** 2, rtol=0.02)


def test_other_weights_make_other_codes(spec: ModelSpec) -> None:
    counts = ec.encode(spec.ec, units(5))
    plain = spec.model_copy(update={"dg": spec.dg.model_copy(update={"weights": None})})
    mine, drawn = (dentate(s, seed=1).codes(counts)[0] for s in (spec, plain))
    assert all(len(np.intersect1d(a, b)) < spec.dg.winners // 2 for a, b in zip(mine, drawn, strict=True))


def test_dg_still_adapts_to_what_is_stored(spec: ModelSpec) -> None:
    """The mean goes, and each cell's drive has a variance of 1, on volleys far from isotropic."""
    x = units(800) * np.linspace(0.3, 3.0, 384) + 0.05
    counts = ec.encode(spec.ec, (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32))
    drive = dentate(spec, 1, Adaptation.of(counts)).drive(counts)
    assert abs(drive.mean()) < 0.05
    assert drive.var(axis=0).mean() == pytest.approx(1.0, rel=0.1)


@pytest.mark.slow
def test_codes_are_made_block_by_block(spec: ModelSpec) -> None:
    counts = ec.encode(spec.ec, units(BLOCK + 3))
    dg = dentate(spec, 1)
    whole, alone = dg.codes(counts), dg.codes(counts[-3:])
    for a, b in zip(whole, alone, strict=True):
        np.testing.assert_array_equal(a[-3:], b)
    best = np.argsort(-dg.drive(counts[:4]), axis=1)[:, : spec.dg.winners]
    np.testing.assert_array_equal(np.sort(best, axis=1), np.sort(whole[0][:4], axis=1))


def test_nothing_stored_and_no_cue(spec: ModelSpec) -> None:
    codes, when = dentate(spec, 1).codes(np.zeros((0, 384), np.int8))
    assert codes.shape == when.shape == (0, spec.dg.winners)


def test_models_without_weights_are_written_as_before(spec: ModelSpec) -> None:
    assert "weights" not in load_model("hippocampus-engram-small").model_dump()["dg"]
    assert ModelSpec.model_validate(spec.model_dump()) == spec
    assert spec.dg.weights is not None
    assert spec.dg.weights in spec.to_toml()


def test_vectors_of_another_dimension_have_drawn_synapses(spec: ModelSpec) -> None:
    assert spec.with_dim(384) == spec
    other = spec.with_dim(64)
    assert other.dg.weights is None
    assert Hippocampus(other).store(units(2, dim=64)).tolist() == [0, 1]


def test_weights_that_do_not_fit_are_refused(spec: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"\(384, 384\)"):
        dentate(with_weights(spec, str(save_shape(tmp_path / "small.safetensors", np.eye(3, dtype=np.float32)))), 0)
    with pytest.raises(SpecError, match="finite"):
        dentate(with_weights(spec, str(save_shape(tmp_path / "nan.safetensors", np.full((384, 384), np.nan, np.float32)))), 0)
    with pytest.raises(SnapshotError, match="nowhere"):
        dentate(with_weights(spec, str(tmp_path / "nowhere.safetensors")), 0)


def test_shipped_weights_are_shapes() -> None:
    for path in (MODELS / "weights").glob("dg-*.safetensors"):
        assert path.stat().st_size < 3e6
        gains = np.linalg.eigvalsh(trained_shape(path.stem, 384))
        assert gains.min() > 0.5
        assert gains.max() / gains.min() > 1.5  # an untrained one has gains of 1
