"""The spiking SPMN cell: closed forms, the fused kernel against autograd, and what its memory must never do."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikemem.errors import StimulusError, VectorError
from spikemem.kernels.spmn import ADDRESS, CONTENT, RESET, UPDATE
from spikemem.learn.health import Watch
from spikemem.spmn.cell import SpikingCell
from spikemem.spmn.firing import fire, win

CELLS, POPULATIONS, WIDTH, DEPTH = 18, 3, 6, 3


def cell(steps: int = 0, seed: int = 0) -> SpikingCell:
    torch.manual_seed(seed)
    return SpikingCell(CELLS, WIDTH, DEPTH, POPULATIONS, readers=2, steps=steps)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_kernel_is_the_equations_and_its_gradients_are_autograds(seed: int) -> None:
    model = cell(seed=seed).double()
    present = torch.rand(4, 7) < 0.8
    asked = torch.tensor([[0, 3], [0, 7], [1, 0], [2, 2], [3, 7], [0, 3]])  # the first point twice
    into = torch.randn(6, DEPTH, WIDTH, WIDTH, dtype=torch.float64)
    given = torch.rand(4, 7, CELLS, dtype=torch.float64)
    found = []
    first = 0.5 * torch.randn(4, DEPTH, WIDTH, WIDTH, dtype=torch.float64)
    for way in (model._story_by_steps, model.story):
        events, start = given.clone().requires_grad_(), first.clone().requires_grad_()
        model.zero_grad()
        memory = way(events, present, asked, start)
        (memory * into).sum().backward()
        found.append([memory.detach(), events.grad, start.grad, *(p.grad.clone() for p in model.parameters() if p.grad is not None)])
    assert len(found[0]) == 3 + len(list(model.parameters()))
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-12)
        assert a.abs().max() > 0


@pytest.mark.slow
def test_a_memory_to_begin_with_gets_its_gradient() -> None:
    model = cell().double()
    start = (0.1 * torch.randn(2, DEPTH, WIDTH, WIDTH, dtype=torch.float64)).requires_grad_()
    events, asked = torch.rand(2, 3, CELLS, dtype=torch.float64), torch.tensor([[0, 3], [1, 2]])
    present = torch.ones(2, 3, dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda m: model.story(events, present, asked, m), (start,))


@pytest.mark.parametrize("steps", [0, 32])
def test_a_story_by_steps_skips_absent_events_and_stays_within_its_bounds(steps: int) -> None:
    model, events, present = cell(steps), torch.rand(2, 4, CELLS), torch.tensor([[True, True, False, True], [False] * 4])
    asked = torch.tensor([[0, 0], [0, 2], [0, 3], [0, 4], [1, 4]])
    start, after_two, absent, after_all, untouched = model._story_by_steps(events, present, asked, model.initial(2))
    assert start.count_nonzero() == untouched.count_nonzero() == 0
    assert torch.equal(after_two, absent)
    assert not torch.allclose(absent, after_all, atol=1e-2)
    assert after_all.abs().max() <= 1 + 1e-6


def test_one_write_is_a_story_of_one_event() -> None:
    model, event = cell(), torch.rand(2, CELLS)
    after, _ = model.write(model.initial(2), event)
    told = model.story(event[:, None], torch.ones(2, 1, dtype=torch.bool), torch.tensor([[0, 1], [1, 1]]))
    assert torch.allclose(after, told, atol=1e-6)


@pytest.mark.parametrize("steps", [0, 32])
def test_from_an_empty_memory_a_write_changes_it_by_the_gates(steps: int) -> None:
    model = cell(steps)
    memory, gates = model.write(model.initial(3), torch.rand(3, CELLS))
    assert memory.abs().amax(dim=(1, 2, 3)).min() > 0.01
    assert torch.equal(memory, gates.update * gates.candidate[:, :, None])


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 30.0), st.sampled_from([0, 1, 8, 10, 25, 64]))
def test_every_gate_is_a_share_and_the_memory_stays_between_its_bounds(seed: int, strength: float, steps: int) -> None:
    model = cell(steps, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(strength)
    memory = model.initial(2)
    for _ in range(10):
        memory, gates = model.write(memory, torch.rand(2, CELLS))
        for gate in (gates.update, gates.reset):
            assert gate.min() >= 0
            assert gate.max() <= 1
        assert gates.candidate.abs().max() <= 1
        assert memory.abs().max() <= 1 + 1e-6


@pytest.mark.parametrize("steps", [0, 32])
def test_a_thousand_writes_stay_bounded(steps: int) -> None:
    model, many = cell(steps), 1000
    memory = model.story(torch.rand(1, many, CELLS), torch.ones(1, many, dtype=torch.bool), torch.tensor([[0, many]]))
    assert 0 < memory.abs().max() <= 1 + 1e-6


def test_a_samples_write_is_unchanged_by_its_batch_mates() -> None:
    model = cell()
    events, present = torch.rand(3, 5, CELLS), torch.ones(3, 5, dtype=torch.bool)
    together = model.story(events, present, torch.tensor([[1, 5]]))
    events[[0, 2]] = torch.rand(2, 5, CELLS)
    assert torch.equal(together, model.story(events, present, torch.tensor([[1, 5]])))
    model.steps = 32
    torch.manual_seed(1)
    drawn = model.story(events, present, torch.tensor([[0, 5]]))
    torch.manual_seed(1)
    mates = torch.cat([events[:1], 1 - events[1:]])
    assert torch.equal(drawn, model.story(mates, present, torch.tensor([[0, 5]])))


def test_gates_for_each_sample_and_from_different_populations() -> None:
    model = cell()
    _, gates = model.write(model.initial(2), torch.rand(2, CELLS))
    assert not torch.allclose(gates.update[0], gates.update[1])
    with torch.no_grad():
        model.by_population(model.gates.weight.T)[:, UPDATE] = 0
    _, other = model.write(model.initial(2), torch.rand(2, CELLS))
    assert not torch.allclose(other.reset[0], other.reset[1])


def test_parts_of_a_bias_are_the_populations_that_they_are_named_for() -> None:
    model, event = cell(), torch.rand(2, CELLS)
    before = model.drive(event[:, None])
    with torch.no_grad():
        update, reset = model.by_population(model.gates.bias)
        update.fill_(50.0)
        reset.fill_(-50.0)
        content, address = model.by_population(model.routes.bias)
        content.fill_(50.0)
        address.fill_(-50.0)
        keys, addresses = model.by_place(model.places.bias)
        keys[:, 2] += 50.0
        addresses[:, 1] += 7.0
    _, gates = model.write(model.initial(2), event)
    assert torch.allclose(gates.update.sum(2), torch.ones(2, DEPTH, WIDTH))  # k, whose shares sum up to 1, where z is 1
    assert gates.reset.max() < 1e-6
    drive = model.drive(event[:, None])
    assert drive.routes[:, 0, CONTENT].min() > 1 - 1e-6
    assert drive.routes[:, 0, ADDRESS].max() < 1e-6
    assert drive.gates[:, 0, UPDATE].min() > 25 > -25 > drive.gates[:, 0, RESET].max()
    assert drive.key[..., 2].min() > 1 - 1e-6
    assert torch.allclose(drive.address[..., 1], before.address[..., 1] + 7.0, atol=1e-5)
    assert torch.equal(drive.address[..., 2:], before.address[..., 2:])


def test_spikes_tend_to_the_rate_twin() -> None:
    model, event = cell(), torch.rand(400, CELLS)
    event[:] = event[0]
    expected = model.write(model.initial(1), event[:1])[0]
    apart = []
    for steps in (4, 64):
        model.steps = steps
        apart.append((model.write(model.initial(400), event)[0].mean(0) - expected[0]).abs().mean().item())
    assert apart[1] < apart[0] / 2
    assert apart[1] < 0.01


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(VectorError, match="populations"):
        SpikingCell(15, populations=2)
    with pytest.raises(VectorError, match="65 steps"):
        SpikingCell(18, steps=65)
    for size in ("cells", "width", "depth", "populations", "readers"):
        with pytest.raises(VectorError, match=f"{size} is 0; it must be a whole number, at least 1"):
            SpikingCell(**({"cells": 18} | {size: 0}))
    events, asked = torch.rand(2, 3, CELLS), torch.tensor([[0, 3]])
    for present in (torch.ones(2, 40, dtype=torch.bool), torch.ones(2, 3)):
        with pytest.raises(VectorError, match="present"):
            cell().story(events, present, asked)
    for wrong in (torch.tensor([[0, 4]]), torch.tensor([[2, 0]]), torch.tensor([[-1, 0]])):
        with pytest.raises(VectorError, match="questions"):
            cell().story(events, torch.ones(2, 3, dtype=torch.bool), wrong)
    for way in (fire, win):
        for steps in (65, -1, 2.5):
            with pytest.raises(StimulusError, match=f"{steps} steps; take 1 to 64"):
                way(torch.rand(3), steps)  # type: ignore[arg-type]
    with pytest.raises(VectorError, match=r"expected \[batch, event, 18\]"):
        cell().write(cell().initial(1), torch.rand(1, 15))
    for memory in (cell().initial(1), cell().initial(2)[:, :1], cell().initial(2)[0], cell().initial(2)[..., :1]):
        with pytest.raises(VectorError, match=r"the memory has shape .* expected \[2, 3, 6, 6\], as initial\(2\) gives"):
            cell().write(memory, events[:, 0])
        with pytest.raises(VectorError, match="the memory has shape"):
            cell().story(events, torch.ones(2, 3, dtype=torch.bool), asked, memory)


def test_stories_without_events_and_steps_that_are_no_number_are_refused() -> None:
    for shape in ((0, 3), (2, 0)):
        with pytest.raises(VectorError, match="give at least one story, of at least one event"):
            cell(8).story(torch.zeros(*shape, CELLS), torch.ones(*shape, dtype=torch.bool), torch.zeros(0, 2, dtype=torch.int64))
    with pytest.raises(VectorError, match=r"an event of 2.5 steps"):
        cell(2.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [0, 8])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_events_that_are_not_finite_are_refused(steps: int, value: float) -> None:
    model, events = cell(steps), torch.rand(2, 3, CELLS)
    events[1, 2, 4] = value
    with pytest.raises(VectorError, match=r"events are NaN or infinite, first in event \[1, 2\]"):
        model.story(events, torch.ones(2, 3, dtype=torch.bool), torch.tensor([[0, 3]]))
    with pytest.raises(VectorError, match=r"NaN or infinite, first in event \[1, 0\]"):
        model.write(model.initial(2), events[:, 2])


def test_a_probability_beyond_its_bounds_is_the_bound() -> None:
    p = torch.tensor([-300.0, -1.0, -0.1, 1.1, 2.5, 300.0], requires_grad=True)
    shares = fire(p, 32)
    assert shares.tolist() == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    shares.sum().backward()
    assert p.grad is not None
    assert p.grad.tolist() == [1.0] * 6


@pytest.mark.parametrize("steps", [1, 7, 32, 64])
def test_a_cell_fires_with_its_probability(steps: int) -> None:
    torch.manual_seed(0)
    p = torch.tensor([0.0, 0.004, 0.25, 0.5, 0.9, 1.0])
    shares = fire(p.expand(20000, -1), steps)
    assert torch.equal(shares * steps, (shares * steps).round())
    assert torch.equal(shares[:, [0, -1]], p[[0, -1]].expand(20000, -1))
    assert torch.allclose(shares.mean(0), p, atol=0.012)
    assert torch.allclose(shares.var(0), p * (1 - p) / steps, atol=0.1 / steps)
    assert not torch.equal(shares[:, 3], fire(p.expand(20000, -1), steps)[:, 3])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_spikes_of_any_precision_are_the_same(dtype: torch.dtype) -> None:
    p = torch.tensor([0.125, 0.5, 0.75])
    for way in (fire, win):
        torch.manual_seed(0)
        expected = way(p, 16)
        torch.manual_seed(0)
        drawn = way(p.to(dtype), 16)
        assert drawn.dtype == dtype
        assert torch.equal(drawn.float(), expected)


@pytest.mark.parametrize("steps", [0, 32])
def test_a_story_by_steps_learns_in_half_precision(steps: int) -> None:
    """As autocast has it on a GPU."""
    model, present = cell(steps), torch.ones(4, 3, dtype=torch.bool)
    events, asked = torch.rand(4, 3, CELLS), torch.tensor([[0, 3], [2, 1]])
    exact = cell()._story_by_steps(events, present, asked, model.initial(4))
    with torch.autocast("cpu", torch.bfloat16):
        memory = model._story_by_steps(events, present, asked, model.initial(4))
    assert (memory - exact).abs().mean() < (0.05 if steps else 0.005)
    memory.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert 0 < parameter.grad.abs().max() < torch.inf, name


def test_with_one_role_there_is_nothing_to_mix() -> None:
    model = SpikingCell(16, width=8, depth=2)
    model.story(torch.rand(2, 3, 16), torch.ones(2, 3, dtype=torch.bool), torch.tensor([[0, 3], [1, 3]])).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("by_steps", [False, True])
@pytest.mark.parametrize("steps", [0, 32])
def test_the_gates_of_a_story_are_looked_after(steps: int, by_steps: bool) -> None:
    """Of the events that are there alone."""
    model, events = cell(steps), torch.rand(6, 4, CELLS)
    present = torch.tensor([True, True, False, True]).expand(6, 4)
    asked = torch.tensor([[b, 4] for b in range(6)])

    def found() -> set[tuple[str, str]]:
        with Watch(model) as watch:
            (model._story_by_steps(events, present, asked, model.initial(6)) if by_steps else model.story(events, present, asked))
            return {(finding.name, finding.layer) for finding in watch.findings() if "population" in finding.name}

    assert found() == set()
    with torch.no_grad():
        update, reset = model.by_population(model.gates.bias)
        update[1].fill_(-1e3)
        reset[2].fill_(1e3)
        model.candidate.bias.view(DEPTH, WIDTH)[0].fill_(-1e3)
    dead = {("dead population", "update_cells[1]"), ("dead population", "candidate_cells[0]")}
    assert found() == dead | {("saturated population", "reset_cells[2]")}
    model.eval()
    assert found() == set()


def test_winners_share_the_steps_as_softmax_does() -> None:
    torch.manual_seed(0)
    x = torch.tensor([0.0, 1.0, -2.0, 3.0])
    shares = win(x.expand(20000, -1), 16)
    assert torch.allclose(shares.sum(1), torch.ones(20000))
    assert torch.allclose(shares.mean(0), torch.softmax(x, 0), atol=5e-3)
    assert torch.equal(win(x, 0), torch.softmax(x, 0))


def test_the_gradient_of_a_share_is_that_of_its_expectation() -> None:
    p = torch.tensor([0.2, 0.8], requires_grad=True)
    (fire(p, 32) * torch.tensor([3.0, -1.0])).sum().backward()
    assert p.grad is not None
    assert p.grad.tolist() == [3.0, -1.0]


@pytest.mark.parametrize("strength", [100.0, 1e5])
def test_drives_beyond_the_range_of_exp_saturate(strength: float) -> None:
    model, events, asked = cell(), torch.rand(2, 4, CELLS), torch.tensor([[0, 4], [1, 4]])
    with torch.no_grad():
        for part, sign in (
            (model.gates.bias[::2], 1),
            (model.gates.bias[1::2], -1),
            (model.candidate.bias[::2], 1),
            (model.candidate.bias[1::2], -1),
        ):
            part.fill_(sign * strength)
    told = model.story(events, torch.ones(2, 4, dtype=torch.bool), asked)
    assert torch.allclose(told, model._story_by_steps(events, torch.ones(2, 4, dtype=torch.bool), asked, model.initial(2)), atol=1e-6)
    told.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
