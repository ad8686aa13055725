"""The rate cells: every fault of the published forms is shown there, and gone in ours."""

import pytest
import torch
from torch import Tensor, nn

from spikemem.errors import VectorError
from spikemem.spmn import Cell, Gates, RateV1, RateV2
from tests.spmn.published import PUBLISHED, PublishedV1, PublishedV2

CELLS, WIDTH, DEPTH, BATCH = 40, 12, 2, 5
OURS = [RateV1, RateV2]


def made(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return kind(CELLS, WIDTH, DEPTH)


def events(n: int, scale: float = 1.0) -> Tensor:
    return scale * torch.rand(n, BATCH, CELLS, generator=torch.Generator().manual_seed(1))


def written(cell: nn.Module, memory: Tensor, inputs: Tensor) -> tuple[list[Tensor], list[Gates]]:
    """The memory after each event, and its gates."""
    memories, gates = [], []
    with torch.no_grad():
        for event in inputs:
            memory, gate = cell.write(memory, event)
            memories.append(memory)
            gates.append(gate)
    return memories, gates


def drawn() -> Tensor:
    """A memory in which something is written."""
    return 2 * torch.rand(BATCH, DEPTH, WIDTH, WIDTH, generator=torch.Generator().manual_seed(2)) - 1


@pytest.mark.parametrize("kind", [*OURS, *PUBLISHED.values()])
def test_every_cell_keeps_the_contract(kind: type[nn.Module]) -> None:
    cell = made(kind)
    assert isinstance(cell, Cell)
    assert cell.initial(BATCH).shape == (BATCH, DEPTH, WIDTH, WIDTH)
    memory, gates = cell.write(cell.initial(BATCH), events(1)[0])
    assert memory.shape == gates.candidate.shape == (BATCH, DEPTH, WIDTH, WIDTH)


def test_from_an_empty_memory_v1_writes_where_the_published_form_never_does() -> None:
    ours, published = made(RateV1), made(PublishedV1)
    assert written(published, published.initial(BATCH), events(20))[0][-1].count_nonzero() == 0
    assert written(ours, ours.initial(BATCH), events(1))[0][0].abs().mean() > 0.01


def test_from_an_empty_memory_v2_writes_the_event_and_not_a_constant() -> None:
    """The published candidate is the same for every event; the event scales it by its gates alone."""
    ours, published = made(RateV2), made(PublishedV2)

    def candidates(cell: nn.Module) -> Tensor:
        return written(cell, cell.initial(BATCH), events(1))[1][0].candidate

    assert (candidates(published)[0] == candidates(published)[1]).all()
    assert (candidates(ours)[0] - candidates(ours)[1]).abs().mean() > 1e-3


@pytest.mark.parametrize("kind", OURS)
def test_gates_are_shares(kind: type[nn.Module]) -> None:
    cell = made(kind)
    for gates in written(cell, drawn(), events(20, scale=20.0))[1]:
        assert all(gate.min() >= 0 and gate.max() <= 1 for gate in (gates.update, gates.reset))
        assert gates.candidate.abs().max() <= 1


def test_the_published_v1_overwrites_by_more_than_all() -> None:
    published = made(PublishedV1)
    updates = torch.stack([gates.update for gates in written(published, drawn(), events(20, scale=20.0))[1]])
    assert updates.min() < 0
    assert updates.max() > 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", OURS)
def test_the_memory_stays_bounded_over_a_thousand_writes(kind: type[nn.Module]) -> None:
    memories, _ = written(made(kind), drawn(), events(1000, scale=20.0))
    assert max(memory.abs().max() for memory in memories) <= 1


def test_the_published_v1_grows_without_end() -> None:
    memories, _ = written(made(PublishedV1).double(), drawn().double(), events(20).double())
    largest = [memory.abs().max() for memory in memories]
    assert largest[0] > 1
    assert largest[19] > 5 * largest[9] > 25 * largest[0]


@pytest.mark.parametrize("kind", OURS)
def test_a_sample_is_written_alike_whatever_its_batch_mates(kind: type[nn.Module]) -> None:
    """Exactly: in float64, sums of another batch size differ by rounding at most."""
    cell, inputs, memory = made(kind).double(), events(2).double(), drawn().double()
    mates = torch.cat([inputs[0, :1], inputs[1, 1:]])
    with torch.no_grad():
        assert torch.equal(cell.write(memory, inputs[0])[0][0], cell.write(memory, mates)[0][0])


def test_the_published_v2_lets_batch_mates_write() -> None:
    cell, inputs, memory = made(PublishedV2), events(2), drawn()
    mates = torch.cat([inputs[0, :1], inputs[1, 1:]])
    with torch.no_grad():
        assert not torch.allclose(cell.write(memory, inputs[0])[0][0], cell.write(memory, mates)[0][0], atol=1e-4)


def without(cell: nn.Module, gate: str) -> nn.Module:
    """The cell with one gate's projection, L and R, blanked."""
    with torch.no_grad():
        for projection in getattr(cell, gate).parameters():
            projection.zero_()
    return cell


@pytest.mark.parametrize(("kind", "moves"), [(RateV2, False), (PublishedV2, True)])
def test_update_and_reset_come_from_different_projections(kind: type[nn.Module], moves: bool) -> None:
    """Blank the projection of the update gate: the published form's reset moves with it."""
    with torch.no_grad():
        before = made(kind).write(drawn(), events(1)[0])[1]
        after = without(made(kind), "keep").write(drawn(), events(1)[0])[1]
    assert not torch.allclose(before.update, after.update, atol=1e-4)
    assert torch.allclose(before.reset, after.reset, atol=1e-6) is not moves


@pytest.mark.parametrize(("kind", "reached"), [(RateV1, True), (RateV2, True), (PublishedV2, False)])
def test_the_gradient_reaches_the_first_write_through_the_memory(kind: type[nn.Module], reached: bool) -> None:
    cell, inputs = made(kind), events(3).requires_grad_()
    memory = cell.initial(BATCH)
    for event in inputs:
        memory, _ = cell.write(memory, event)
    memory.square().sum().backward()
    assert (inputs.grad[0].abs().sum() > 0).item() is reached
    assert inputs.grad[2].abs().sum() > 0


@pytest.mark.parametrize("kind", OURS)
def test_sizes_and_memories_that_do_not_fit_are_refused(kind: type[nn.Module]) -> None:
    cell = made(kind)
    for memory in (cell.initial(1), cell.initial(BATCH)[:, :1], cell.initial(BATCH)[0]):
        with pytest.raises(VectorError, match=r"the memory has shape .* expected \[5, 2, 12, 12\]"):
            cell.write(memory, events(1)[0])
    for size in ("cells", "width", "depth"):
        with pytest.raises(VectorError, match=f"{size} is 0; it must be a whole number, at least 1"):
            kind(**({"cells": CELLS} | {size: 0}))


def test_heads_share_the_width() -> None:
    with pytest.raises(VectorError, match="a width of 30 cannot be shared equally by 4 heads; take a multiple"):
        RateV2(CELLS, width=30)
    with pytest.raises(VectorError, match="heads is 0"):
        RateV2(CELLS, heads=0)
    assert RateV2(CELLS, width=30, heads=5).width == 30
