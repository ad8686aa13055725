"""The training loop: its schedule in closed form, what a restart must not change, what it finds wrong, and what it refuses."""

import math
import multiprocessing
import random
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikemem import LIF
from spikemem.errors import MissingExtraError, SnapshotError, TrainingError
from spikemem.learn import Epoch, Scores, Settings, accuracy, checkpoints, fit, load, save
from spikemem.learn.health import MENDS, Shares, Watch
from spikemem.learn.layers import SpikingLayer
from spikemem.spmn.firing import SATURATION, fire, rectified

SHORT = Settings(epochs=4, batch=16, lr=1e-2, device="cpu", warmup=3)


class Counting(nn.Module):
    """Spiking cells whose counts are read out; with dropout, so that chance has a part."""

    def __init__(self, neuron: LIF | None = None) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(7)
            self.into, self.cells, self.out = nn.Linear(6, 40), SpikingLayer(40, neuron or LIF()), nn.Linear(40, 2)

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.cells(self.into(x.expand(8, *x.shape)))
        return self.out(nn.functional.dropout(spikes.mean(0), 0.2, self.training))


def data(rows: int = 100) -> tuple[Tensor, Tensor]:
    x = torch.randn(rows, 6, generator=torch.Generator().manual_seed(3))
    return x, (x[:, 0] * x[:, 1] > 0).long()


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def held_out(model: nn.Module) -> float:
    x, y = data(300)
    return loss(model, (x[100:], y[100:])).item()


class StoppedError(Exception):
    """A training that stops in the midst of things."""


# --- the course -----------------------------------------------------------------------------------------------------------------------


def test_the_rate_warms_up_and_falls_as_a_cosine() -> None:
    settings = Settings(lr=0.4, warmup=4)
    assert [settings.rate(step, 0.0) for step in range(5)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])
    assert [settings.rate(9, done) for done in (0.0, 1 / 3, 0.5, 1.0)] == pytest.approx([0.4, 0.3, 0.2, 0.0])


def test_the_first_steps_are_those_of_adamw_by_hand() -> None:
    """One parameter w, loss c w: the clipped gradient is 1, AdamW's first step is -lr sign(g), and its decay w (1 - lr decay)."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    history = fit(model, [torch.full((2, 1), 3.0)], lambda m, b: m(b[0]).mean(), Settings(1, 2, lr=0.1, weight_decay=0.5, device="cpu"))
    assert history.losses == [6.0]
    assert model.weight.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5) - 0.1)


def test_it_learns_and_keeps_the_best_weights() -> None:
    told: list[Epoch] = []
    steps: list[tuple[int, int]] = []
    model = Counting()
    before = held_out(model)
    chosen = replace(SHORT, epochs=12, lr=2e-2)
    history = fit(model, data(), loss, chosen, validate=held_out, on_epoch=told.append, progress=lambda *at: steps.append(at))
    assert (len(history.losses), history.samples, steps[-1]) == (12 * 7, 1200, (84, 84))
    assert history.validation[history.best - 1] == min(history.validation) < 0.9 * before
    assert held_out(model.eval()) == min(history.validation)
    assert [epoch.number for epoch in told] == list(range(1, 13))
    assert told[0].loss == pytest.approx(sum(history.losses[:7]) / 7)
    assert told[-1].rate == pytest.approx(chosen.rate(83, 83 / 84))
    assert history.seconds > 0


@pytest.mark.slow
def test_a_seed_decides_all_and_the_callers_chance_is_left_alone() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one, two, other = (fit(Counting(), data(), loss, replace(SHORT, seed=seed)).losses for seed in (0, 0, 1))
    assert one == two != other
    assert torch.equal(torch.get_rng_state(), state)


def test_numpys_and_pythons_chance_is_the_seeds_within_and_the_callers_after(tmp_path: Path) -> None:
    """A loss that draws from the global generators gives the same again, after a stop as well, and leaves them as they were."""

    def drawing(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return loss(model, batch) + np.random.rand() + random.random() + torch.rand(())

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise StoppedError

    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    whole = fit(Counting(), data(), drawing, SHORT).losses
    kept = replace(SHORT, checkpoint=tmp_path)
    with pytest.raises(StoppedError):
        fit(Counting(), data(), drawing, kept, on_epoch=stop)
    np.random.rand()
    assert fit(Counting(), data(), drawing, kept).losses == whole
    np.random.seed(3)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


def test_data_may_be_a_function_of_the_epochs_generator() -> None:
    seen: list[list[int]] = []

    def drawn(generator: torch.Generator) -> Iterable[dict[str, Any]]:
        rows = torch.randint(0, 100, (3, 16), generator=generator)
        seen.append(rows.flatten().tolist())
        return ({"x": data()[0][row], "y": data()[1][row], "what": "text"} for row in rows)

    def by_name(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        assert batch["what"] == "text"
        return loss(model, (batch["x"], batch["y"]))

    one, two = (fit(Counting(), drawn, by_name, SHORT) for _ in range(2))
    assert one.losses == two.losses
    assert (len(one.losses), one.samples) == (12, 192)
    assert seen[:4] == seen[4:]
    assert seen[0] != seen[1]


def test_it_stops_when_validation_gets_no_better() -> None:
    values = iter([3.0, 1.0, 2.0, 1.7, 1.5, 0.0])
    weights: list[Tensor] = []
    model = Counting()

    def validate(model: nn.Module) -> float:
        weights.append(model.state_dict()["out.bias"].clone())
        return next(values)

    history = fit(model, data(), loss, replace(SHORT, epochs=6, patience=2), validate=validate)
    assert history.validation[:3] == [3.0, 1.0, 2.0]
    assert (len(history.validation), history.best) == (5, 2)
    assert torch.equal(model.out.bias, weights[1])
    assert not torch.equal(weights[1], weights[2])


# --- checkpoints ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("broken_at", [1, 5, 7, 20, 26])
def test_a_broken_training_goes_on_to_the_same_losses(broken_at: int, tmp_path: Path) -> None:
    plain = Counting()
    whole = fit(plain, data(), loss, SHORT, validate=held_out)
    calls = 0

    def fragile(model: nn.Module, batch: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == broken_at:
            raise StoppedError
        return loss(model, batch)

    kept = replace(SHORT, checkpoint=tmp_path / "here")
    with pytest.raises(StoppedError):
        fit(Counting(), data(), fragile, kept, validate=held_out)
    model = Counting()
    resumed = fit(model, data(), loss, kept, validate=held_out)
    assert resumed.losses == whole.losses  # to the last bit
    assert (resumed.validation, resumed.best, resumed.samples) == (whole.validation, whole.best, whole.samples)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), plain.state_dict().values(), strict=True))
    again = fit(Counting(), data(), loss, kept, validate=held_out)  # finished: nothing is left to do
    assert again.losses == whole.losses
    assert [path.name for path in kept.checkpoint.iterdir()] == [checkpoints.FILE] if kept.checkpoint else False


@pytest.mark.slow
def test_a_kill_while_writing_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(Counting(), data(), loss, SHORT).losses
    kept = replace(SHORT, checkpoint=tmp_path)
    from spikemem import snapshot

    write, written = snapshot.save_file, 0

    def half(arrays: Any, path: Path, metadata: dict[str, str]) -> None:
        nonlocal written
        written += 1
        write(arrays, path, metadata)
        if written == 3:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            raise StoppedError

    monkeypatch.setattr(snapshot, "save_file", half)
    with pytest.raises(StoppedError):
        fit(Counting(), data(), loss, kept)
    told: list[Epoch] = []
    assert fit(Counting(), data(), loss, kept, on_epoch=told.append).losses == whole
    assert told[0].number == 3


def train_slowly(folder: Path, told: Connection) -> None:
    """A training of eight epochs, each of which is told, in a process that may be killed; its losses at the end."""
    torch.set_num_threads(1)

    def slow(model: nn.Module, batch: Any) -> Tensor:
        time.sleep(0.01)
        return loss(model, batch)

    chosen = replace(SHORT, epochs=8, checkpoint=folder)
    history = fit(Counting(), data(), slow, chosen, validate=held_out, on_epoch=lambda epoch: told.send(epoch.number))
    told.send((history.losses, history.validation))


@contextmanager
def training(folder: Path) -> Iterator[tuple[BaseProcess, Connection]]:
    """`train_slowly` in a process of its own, that is forked from one which has loaded torch, and what it tells."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=train_slowly, args=(folder, theirs))
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join()


def everything_told(ours: Connection) -> list[Any]:
    told: list[Any] = []
    with suppress(EOFError):
        while True:
            told.append(ours.recv())
    return told


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_process_killed_at_any_moment_goes_on_to_the_same_losses(tmp_path: Path) -> None:
    with training(tmp_path / "whole") as (_, ours):
        *_, whole = everything_told(ours)
    chance, killed = random.Random(0), 0
    for after in (1, 4, 6):
        with training(tmp_path / "killed") as (process, ours):
            while ours.recv() != after:
                pass
            process.join(chance.uniform(0.0, 0.12))
            process.kill()
            process.join()
            killed += process.exitcode == -signal.SIGKILL
    assert killed == 3
    with training(tmp_path / "killed") as (_, ours):
        *epochs, last = everything_told(ours)
    assert last == whole
    assert epochs in ([7, 8], [8])  # it had gone on after the sixth epoch, not begun anew


def test_other_settings_or_another_model_do_not_go_on(tmp_path: Path) -> None:
    kept = replace(SHORT, epochs=1, checkpoint=tmp_path, of="signs")
    fit(Counting(), data(), loss, kept)
    with pytest.raises(TrainingError, match=r"is of signs, not of products; give another folder"):
        fit(Counting(), data(), loss, replace(kept, of="products"))
    with pytest.raises(TrainingError, match=r"is of signs, not of data [0-9a-f]{8}"):
        fit(Counting(), data(), loss, replace(kept, of=""))
    unnamed = replace(kept, checkpoint=tmp_path / "unnamed", of="")
    fit(Counting(), data(), loss, unnamed)
    with pytest.raises(TrainingError, match=r"is of data .*, not of data .*; give another folder"):
        fit(Counting(), (2 * data()[0], data()[1]), loss, unnamed)
    with pytest.raises(TrainingError, match=r"begun with epochs=1, lr=0.01; go on with the same"):
        fit(Counting(), data(), loss, replace(kept, lr=0.5, epochs=2))
    with pytest.raises(SnapshotError, match=r"another model: 11 do not fit"):
        fit(nn.Linear(6, 2), data(), loss, kept)
    (tmp_path / checkpoints.FILE).write_bytes(b"nonsense")
    with pytest.raises(SnapshotError, match="truncated or altered"):
        fit(Counting(), data(), loss, kept)


def test_weights_go_to_a_file_and_back(tmp_path: Path) -> None:
    model, other = Counting(LIF(tau=5.0, threshold=0.5)), Counting()
    file = save(tmp_path / "weights.safetensors", model, source="made here", steps=8)
    assert load(file, other) == {"source": "made here", "steps": 8}
    assert other.cells.threshold.tolist() == model.cells.threshold.tolist()
    assert torch.equal(other.eval()(data()[0]), model.eval()(data()[0]))
    untouched = nn.Linear(6, 3)
    before = untouched.weight.clone()
    with pytest.raises(SnapshotError, match=r"8 do not fit, the first '0.bias', of shape \(3,\) there and none here"):
        load(save(file, nn.Sequential(nn.Linear(6, 3), nn.Linear(3, 3), nn.Linear(3, 3))), untouched)
    assert torch.equal(untouched.weight, before)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SnapshotError):
        load(file, other)
    with pytest.raises(SnapshotError, match="cannot be read"):
        load(tmp_path / "nowhere", other)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    model, other = Counting(), Counting()
    with torch.no_grad():
        model.cells.log_tau[3] = value
        other.out.bias[0] = 7.0
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(SnapshotError, match=r"weight that is NaN or infinite, first in 'cells.log_tau'; take another file"):
        load(save(tmp_path / "weights", model), other)
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.state_dict().items())
    with pytest.raises(TrainingError, match=r"'cells.log_tau' is NaN or infinite before the first step; build it anew"):
        fit(model, data(), loss, SHORT)
    kept = replace(SHORT, epochs=1, checkpoint=tmp_path)
    fit(Counting(), data(), loss, kept)
    fit(model, data(), loss, kept)  # the checkpoint's weights take their place


def test_a_time_constant_that_does_not_leak_is_no_weight_and_may_be_infinite(tmp_path: Path) -> None:
    def cells(tau: float) -> SpikingLayer:
        return SpikingLayer(6, LIF(tau, 0.5), learn=["threshold"])

    model = cells(20.0)
    load(save(tmp_path / "weights", cells(math.inf)), model)
    assert model.tau.isinf().all()
    assert len(fit(model, data(), lambda m, b: m(b[0][None]).mean(), replace(SHORT, epochs=1)).losses) == 7
    model.tau_0[0] = math.nan
    with pytest.raises(SnapshotError, match="NaN or infinite, first in 'tau_0'"):
        load(save(tmp_path / "weights", model), cells(20.0))


# --- health ---------------------------------------------------------------------------------------------------------------------------


def findings(model: nn.Module, settings: Settings = SHORT, of: Any = loss) -> dict[tuple[str, str], float]:
    history = fit(model, data(), of, replace(settings, epochs=1, lr=1e-6))
    for finding in history.health:
        assert str(finding).endswith(MENDS[finding.name])
    return {(finding.name, finding.layer): finding.value for finding in history.health}


def test_a_healthy_model_has_no_findings() -> None:
    assert findings(Counting(LIF(threshold=0.5))) == {}


def test_dead_cells_are_counted() -> None:
    model = Counting(LIF(threshold=0.5))
    with torch.no_grad():
        model.cells.threshold_0[:10] = 1e3
    assert findings(model) == {("dead cells", "cells"): pytest.approx(0.25)}


class Drawing(nn.Module):
    """Stochastic cells, two populations of ten, that are read out.   steps: of an event; 0 for the rate twin."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(7)
            self.steps, self.into, self.cells, self.out = steps, nn.Linear(6, 20), Shares(2, 10), nn.Linear(20, 2)

    def forward(self, x: Tensor) -> Tensor:
        shares: Tensor = self.cells(fire(rectified(SATURATION * self.into(x)).unflatten(1, (2, 10)), self.steps))
        logits: Tensor = self.out(shares.flatten(1))
        return logits


@pytest.mark.parametrize("steps", [0, 32])
@pytest.mark.parametrize(
    ("bias", "cells", "found"),
    [(-1e3, 8, {}), (-1e3, 9, {("dead population", "cells[1]"): 0.9}), (1e3, 4, {}), (1e3, 6, {("saturated population", "cells[1]"): 0.6})],
)
def test_stochastic_populations_are_looked_after(steps: int, bias: float, cells: int, found: dict[tuple[str, str], float]) -> None:
    """Some dead cells are the way of rectified ones, and no finding."""
    model = Drawing(steps)
    with torch.no_grad():
        model.into.bias[10 : 10 + cells] = bias
    assert findings(model) == {where: pytest.approx(share) for where, share in found.items()}


def test_a_cell_that_fired_once_in_an_epoch_is_not_dead() -> None:
    model, x = Drawing(32), data()[0]

    def seen(*biases: float) -> list[str]:
        for bias in biases:
            with torch.no_grad():
                model.into.bias[10:] = bias
            model(x)
        return [str(finding) for finding in watch.findings() if finding.name in ("dead population", "saturated population")]

    with Watch(model) as watch:
        assert seen(-1e3, 0.0, -1e3) == []
        assert seen(1e3, 1e3, 0.0) == []
        assert seen(-1e3) == [f"dead population in cells[1] (1): {MENDS['dead population']}"]
        model.eval()
        assert seen(-1e3) == []  # passes of a validation do not count


def test_a_voltage_that_runs_away_is_found() -> None:
    model = Counting(LIF(tau=1000.0, threshold=0.5))
    with torch.no_grad():
        model.into.bias[3] = 400.0
    found = findings(model)
    assert found["exploding state", "cells"] == pytest.approx(2 * 400 * sum(math.exp(-t / 1000) for t in range(8)), rel=0.05)


def test_a_current_that_is_nan_is_found() -> None:
    layer = SpikingLayer(2)
    current = torch.ones(3, 1, 2)
    current[1, 0, 1] = math.nan
    with Watch(layer) as watch:
        layer(current).sum().backward()
        assert "exploding state" in {finding.name for finding in watch.findings()}


def test_a_gradient_that_vanishes_is_found() -> None:
    model = Counting()
    model.cells.slope = 1e8
    found = findings(model)
    assert ("vanishing gradient", "into") in found
    assert ("vanishing gradient", "out") not in found


def test_a_loss_that_is_no_number_ends_it_before_the_weights_are_touched() -> None:
    model, calls = Counting(), 0
    kept: dict[str, Tensor] = {}

    def bad(model: nn.Module, batch: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 10:
            kept.update({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return loss(model, batch) * (math.nan if calls == 10 else 1.0)

    model.eval()
    with pytest.raises(TrainingError, match=r"step 3 of epoch 2: the loss is nan.*See that the data are finite; if they are, lower"):
        fit(model, data(), bad, SHORT)
    assert not model.training
    assert all(torch.equal(tensor, kept[name]) for name, tensor in model.state_dict().items())


# --- the rest -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("epochs", 2.5), ("batch", 0), ("batch", 16.0), ("warmup", -1), ("warmup", 1.5), ("seed", -1), ("seed", 2**63)]
    + [("patience", -1), ("patience", 0.5), ("clip", 0), ("clip", math.nan), ("target", math.nan)]
    + [(name, value) for name in ("lr", "weight_decay") for value in (-1e-3, math.nan, math.inf)]
    + [("lr", 0.0), ("lr", "0.1"), ("clip", "a"), ("clip", None), ("target", "x"), ("checkpoint", 3)],
)  # fmt: skip
def test_bad_settings_are_refused(name: str, value: object) -> None:
    with pytest.raises(TrainingError, match=f"^{name} is {value!r}; it must be "):
        Settings(**{name: value})  # type: ignore[arg-type]


def test_what_does_not_fit_is_told_before_it_is_learned() -> None:
    for given, clue in (
        (
            torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data())),
            "the data are a DataLoader; give a tuple of tensors, or",
        ),
        ([1, 2], "the data are a list; give a tuple of tensors"),
    ):
        with pytest.raises(TrainingError, match=clue):
            fit(Counting(), given, loss, SHORT)  # type: ignore[arg-type]
    for wrong in (lambda m, b: loss(m, b).detach(), lambda m, b: m(b[0]), lambda _, b: 1.0):
        with pytest.raises(TrainingError, match="the loss must be one number that depends on the model's parameters"):
            fit(Counting(), data(), wrong, SHORT)  # type: ignore[arg-type]
    for value in (math.nan, None, "low", torch.ones(2), np.ones(2)):
        with pytest.raises(TrainingError, match="`validate` gave no number after epoch 1"):
            fit(Counting(), data(), loss, SHORT, validate=lambda _, value=value: value)  # type: ignore[misc]


@pytest.mark.slow
def test_a_validation_that_comes_with_the_restart_counts_epochs_from_the_first(tmp_path: Path) -> None:
    first = replace(SHORT, epochs=10, checkpoint=tmp_path)

    def killed(epoch: Epoch) -> None:
        if epoch.number == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(Counting(), data(), loss, first, on_epoch=killed)
    values = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    model, weights = Counting(), list[Tensor]()

    def validate(model: nn.Module) -> float:
        weights.append(model.state_dict()["out.bias"].clone())
        return next(values)

    history = fit(model, data(), loss, replace(first, patience=2), validate=validate)
    assert np.isnan(history.validation[:5]).all()
    assert history.validation[5:] == [3.0, 1.0, 2.0, 2.0, 2.0]
    assert history.best == 7
    assert torch.equal(model.out.bias, weights[1])


def test_settings_at_their_bounds_train() -> None:
    chosen = replace(SHORT, epochs=1, warmup=0, clip=math.inf, seed=2**63 - 1, patience=0, target=-math.inf, weight_decay=0.0)
    assert len(fit(Counting(), data(), loss, chosen, validate=held_out).losses) == 7
    for name, value in (("patience", 3), ("target", 0.1)):
        with pytest.raises(TrainingError, match="there is none; give `validate`"):
            fit(Counting(), data(), loss, replace(SHORT, **{name: value}))


def test_denormal_numbers_are_flushed_and_the_callers_way_comes_back() -> None:
    smallest, seen = torch.full((1,), 1e-40), list[bool]()

    def looking(model: nn.Module, batch: Any) -> Tensor:
        seen.append(bool((smallest * 1.0 != 0).item()))
        return loss(model, batch)

    for flushed in (True, False):
        if not torch.set_flush_denormal(flushed):
            pytest.skip("this processor flushes none")
        fit(Counting(), data(), looking, replace(SHORT, epochs=1))
        assert bool((smallest * 1.0 != 0).item()) is not flushed
    assert not any(seen)


def test_a_gradient_is_looked_at_before_it_is_clipped() -> None:
    model = Counting()

    def steep(model: nn.Module, batch: Any) -> Tensor:
        return 1e12 * loss(model, batch)

    assert {name for name, _ in findings(model, of=steep)} <= {"dead cells"}


def test_data_in_half_precision_have_a_mark(tmp_path: Path) -> None:
    x, y = data()
    kept = replace(SHORT, epochs=1, checkpoint=tmp_path)
    fit(nn.Linear(6, 2), (x.bfloat16(), y), lambda model, batch: loss(model, (batch[0].float(), batch[1])), kept)
    assert (tmp_path / checkpoints.FILE).is_file()


def test_folders_may_be_named_by_words(tmp_path: Path) -> None:
    named = replace(SHORT, epochs=1, checkpoint=str(tmp_path / "here"))  # type: ignore[arg-type]
    fit(Counting(), data(), loss, named)
    assert (tmp_path / "here" / checkpoints.FILE).is_file()


def test_a_gradient_that_vanishes_in_one_step_is_no_finding() -> None:
    model, (x, y) = Counting(), data()
    with Watch(model) as watch:
        for scale in (1.0, 0.0):
            model.zero_grad()
            (scale * loss(model, (x, y))).backward()
            watch.step()
        assert [finding for finding in watch.findings() if finding.name == "vanishing gradient"] == []
        watch.step()
        assert {finding.layer for finding in watch.findings() if finding.name == "vanishing gradient"} == set(watch.parts)


def test_bad_data_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"\[100, 99\] rows"):
        fit(Counting(), (data()[0], data()[1][1:]), loss, SHORT)
    with pytest.raises(TrainingError, match="no parameter"):
        fit(nn.ReLU(), data(), loss, SHORT)
    with pytest.raises(TrainingError, match="no batch"):
        fit(Counting(), data(0), loss, SHORT)
    with pytest.raises(TrainingError, match="no tensor"):
        fit(Counting(), [], loss, SHORT)


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(TrainingError, match=f"no device '{device}' to train on; there is cpu"):
        fit(Counting(), data(), loss, replace(SHORT, device=device))


@pytest.mark.slow
def test_tensorboard_logs_say_what_the_history_says(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the train extra is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    scores = Scores(data(300), accuracy=accuracy)
    history = fit(Counting(), data(), loss, replace(SHORT, tensorboard=tmp_path), validate=held_out, metrics=scores)
    logs = EventAccumulator(str(tmp_path))
    logs.Reload()
    assert [point.value for point in logs.Scalars("loss")] == pytest.approx(history.losses)
    assert [point.value for point in logs.Scalars("validation")] == pytest.approx(history.validation)
    assert [point.value for point in logs.Scalars("metric/accuracy")] == pytest.approx([found["accuracy"] for found in history.metrics])
    assert [point.step for point in logs.Scalars("learning rate")] == [7, 14, 21, 28]


def test_a_file_is_no_folder_for_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the train extra is not installed")
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"no logs can be written to the folder .*file \(.*; give another"):
        fit(Counting(), data(), loss, replace(SHORT, tensorboard=tmp_path / "file"))


def test_tensorboard_without_its_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r'"train" extra: pip install "spikemem\[train\]"'):
        fit(Counting(), data(), loss, replace(SHORT, tensorboard=tmp_path))


@pytest.mark.slow
def test_a_compiled_training_learns_and_is_looked_after() -> None:
    model = Counting(LIF(threshold=0.5))
    with torch.no_grad():
        model.cells.threshold_0[:10] = 1e3
    assert findings(model, replace(SHORT, compile=True)) == {("dead cells", "cells"): pytest.approx(0.25)}
    plain, compiled = (fit(Counting(LIF(threshold=0.5)), data(), still, replace(SHORT, epochs=1, compile=c)).losses for c in (False, True))
    assert compiled == pytest.approx(plain, rel=1e-3)


def still(model: nn.Module, batch: Any) -> Tensor:
    """The loss without dropout, for which a compiled model draws other numbers."""
    model.eval()
    try:
        return loss(model, batch)
    finally:
        model.train()
