"""Free recall in spikes: each part by closed form, and by what recall loses where it is silenced."""

from dataclasses import replace

import numpy as np
import pytest

from spikemem.engrams import lag_crp
from spikemem.errors import StimulusError
from spikemem.hippocampus import IN_ORDER, FreelyRecalled, FreeRecall
from spikemem.hippocampus.free_recall import JOINS, NOVEL, TAG_RATE, study_steps
from spikemem.simulators.recording import Recording

L, LISTS = 8, 12
FEW = FreeRecall(patience=60)
Whole = tuple[Recording, FreelyRecalled]
ENDS = np.full(LISTS, -1)


def made(circuit: FreeRecall = FEW, starts: np.ndarray = ENDS, *silenced: str, items: int = L) -> Whole:
    recording = circuit.simulate(items, starts, seed=3, silenced=silenced)
    return recording, circuit.read(recording)


@pytest.fixture(scope="module")
def whole() -> Whole:
    """Lists of which nothing is silenced. Only to be read."""
    return made()


def together(recording: Recording, of: str, step: int) -> np.ndarray:
    """Which cells of a population fire in a step, [list, cell]."""
    spikes, fired = recording[of], np.zeros((recording.batches, recording[of].size), bool)
    fired[spikes.batch[spikes.step == step], spikes.cell[spikes.step == step]] = True
    return fired


def test_context_drifts_by_the_probabilities_that_it_is_given() -> None:
    """An item's cells join with JOINS, and of these a share study^d is left d items later."""
    cells = 100
    recording, _ = made(FreeRecall(patience=1, cells=cells))
    shown = 3 + 4 * np.arange(L) + 1
    own = np.array([together(recording, "context", step).reshape(LISTS, L + 1, cells).mean((0, 2)) for step in shown])  # [time, item]
    for item in range(L):
        for lag in range(4):
            if item + lag < L:
                assert own[item + lag, item] == pytest.approx(JOINS * FEW.study**lag, abs=0.05)
        assert (own[:item, item] == 0).all()
    kept = [together(recording, "context", step) for step in (shown[2], shown[2] + 2)]
    np.testing.assert_array_equal(*kept)  # between items it stays as it is


def test_what_fires_together_is_bound_once_and_what_is_novel_once_more(whole: Whole) -> None:
    recording, _ = whole
    learned = recording.weights["context->items"]
    for i in range(L):
        context = together(recording, "context", 3 + 4 * i + 1)
        weight = FEW.context / FEW.cells * (1 + NOVEL if i == 0 else 1)
        np.testing.assert_allclose(learned[:, :, i], weight * context)
    assert (learned[:, :, L] == 0).all()  # silence learns nothing
    tags = recording.weights["tag->items"][:, :, 1:L]
    assert (tags > 0).mean() == pytest.approx(TAG_RATE, abs=0.06)
    assert (recording["novelty"].step == 4).all()
    without = made(FEW, ENDS, "novelty")[0].weights["context->items"]
    assert without[:, :, 0].max() == pytest.approx(FEW.context / FEW.cells)


def test_the_cue_brings_back_the_context_of_a_moment() -> None:
    starts = np.tile([0, 3, L - 1, -1], LISTS // 4)
    recording, found = made(starts=starts)
    cued = together(recording, "context", study_steps(L) + 1)
    for i, start in enumerate(starts):
        then = 3 + 4 * (start if start >= 0 else L - 1) + 1
        np.testing.assert_array_equal(cued[i], together(recording, "context", then)[i])
    for start in (0, 3):
        assert (np.abs(found.items[starts == start, 0] - start) <= 1).mean() > 0.6


def test_an_attempt_takes_a_theta_cycle_and_a_report_two_more(whole: Whole) -> None:
    _, found = whole
    assert np.nanmin(found.times) == 187.5  # the context, the race, the report
    gaps = np.diff(found.times, axis=1)
    assert np.nanmin(gaps) == 375.0
    assert (gaps[~np.isnan(gaps)] % 125.0 == 0).all()
    assert (np.isnan(found.times) == (found.items < 0)).all()


def test_rest_keeps_an_item_from_coming_twice(whole: Whole) -> None:
    resting, tireless = whole[1].items, made(FEW, ENDS, "rest")[1].items
    assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in resting)
    assert any(len(set(row[row >= 0])) < (row >= 0).sum() for row in tireless)


def test_silences_end_recall_and_reports_bring_the_end_nearer(whole: Whole) -> None:
    recording, _ = whole
    silence, patience = recording["items"], recording["patience"]
    for i in range(LISTS):
        before = patience.step[patience.batch == i].min()
        counted = ((silence.batch == i) & (silence.cell == L)).sum()
        reports = (recording["report"].batch == i).sum()
        assert counted + reports * FEW.tiring * FEW.patience == pytest.approx(FEW.patience, abs=FEW.tiring * FEW.patience)
        assert (silence.step[silence.batch == i] <= before + 1).all()
    endless = made(FEW, ENDS, "patience")[0]
    assert endless["items"].step.max() >= endless.steps - 3


def test_silence_wins_where_context_drives_nothing(whole: Whole) -> None:
    assert (made(replace(FEW, silence=-50.0))[1].items >= 0).all()  # where silence never wins, all come
    assert (made(FEW, ENDS, "context")[1].items >= 0).mean() < (whole[1].items >= 0).mean() / 2


def test_reports_lead_to_what_was_studied_after_them() -> None:
    """Contiguity, and its asymmetry: what is reported brings its own cells back, which only what came later is bound to."""
    starts = np.random.default_rng(0).integers(4, 12, 30)
    crp = lag_crp(made(replace(FEW, silence=18.0, patience=20), starts, items=16)[1].items + 1, 16)
    near = dict(zip(crp.x.tolist(), crp.mean.tolist(), strict=True))
    assert near[1] > 1.5 * near[-1]
    assert near[1] > 3 * near[4]


def test_context_that_outweighs_noise_leads_from_item_to_item_in_order() -> None:
    assert (IN_ORDER.run(12, [0] * 6, seed=1).items == np.arange(12)).mean() > 0.9
    assert (FEW.run(12, [0] * 6, seed=1).items == np.arange(12)).mean() < 0.5


@pytest.mark.parametrize("simulator", ["torch", pytest.param("brian2", marks=pytest.mark.slow)])
def test_other_simulators_have_the_same_spikes(simulator: str) -> None:
    pytest.importorskip(simulator)
    circuit, starts = FreeRecall(patience=12, cells=8), [2, -1]
    own, other = (circuit.simulate(4, starts, seed=5, simulator=name) for name in ("event", simulator))
    assert len(own["report"])
    for name in ("context", "items", "report", "rest", "novelty", "patience", "tag"):
        for part in ("step", "batch", "cell"):
            np.testing.assert_array_equal(getattr(own[name], part), getattr(other[name], part))


def test_the_same_seed_gives_the_same_recall() -> None:
    once, again, other = (FEW.run(L, [-1, -1], seed=seed) for seed in (1, 1, 2))
    first = FEW.run(L, [-1, -1], seed=1, most=1)
    np.testing.assert_array_equal(once.items[:, 0], first.items[:, 0])
    assert ((first.items >= 0).sum(1) < (once.items >= 0).sum(1)).all()
    np.testing.assert_array_equal(once.items, again.items)
    assert not np.array_equal(once.times, other.times, equal_nan=True)


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(StimulusError, match="study is 1"):
        FreeRecall(study=1.0)
    with pytest.raises(StimulusError, match="patience is 0"):
        FreeRecall(patience=0)
    with pytest.raises(StimulusError, match="starts"):
        FEW.run(5, [5])
    with pytest.raises(StimulusError, match="items is 0"):
        FEW.run(0, [])
    with pytest.raises(StimulusError, match="silenced"):
        FEW.simulate(5, [0], silenced=["ca3"])
    with pytest.raises(StimulusError, match="the noise of"):
        FEW.simulate(512, [0] * 1000)
