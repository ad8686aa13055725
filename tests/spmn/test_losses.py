"""The losses, against hand-made cases."""

from itertools import permutations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from spikemem.errors import TrainingError
from spikemem.spmn import Happened, Slots, match, similarities, slots_loss, write_similarity


def published_write_similarity(changes: Tensor, events: Tensor) -> Tensor:
    return (similarities(changes) / similarities(events) - 1).square().mean() / 2


def test_write_similarity_is_nothing_for_changes_that_are_the_events() -> None:
    events = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    assert write_similarity(3 * events.view(6, 1, 5, 2), events) < 1e-6
    assert write_similarity(torch.eye(6), torch.ones(6, 10)) == pytest.approx(1.0)


def test_write_similarity_is_bounded_where_the_published_form_diverges() -> None:
    events = torch.tensor([[1.0, 0.0], [1e-6, 1.0]])
    changes = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert published_write_similarity(changes, events) > 1e10
    assert write_similarity(changes, events) == pytest.approx(2**-0.5, abs=1e-5)


def recalled() -> tuple[Slots, Happened]:
    """Two events and padding, four slots: slot 2 recalls the first, slot 0 the second."""
    happened = Happened(torch.tensor([[0.2, 0.8, 0.0]]), torch.eye(3)[None], torch.tensor([[True, True, False]]))
    content = torch.stack([torch.eye(3)[1], torch.ones(3), 5 * torch.eye(3)[0], -torch.ones(3)])[None]
    return Slots(torch.tensor([[0.8, 0.5, 0.2, 0.5]]), torch.tensor([[1.0, 0.0, 1.0, 0.0]]), content), happened


def test_a_perfect_recall_costs_nothing() -> None:
    slots, happened = recalled()
    assert match(slots, happened).tolist() == [[2, 0, -1]]
    assert slots_loss(slots, happened) == pytest.approx(0.0, abs=1e-6)


def test_each_part_of_the_loss_has_its_weight() -> None:
    slots, happened = recalled()
    late = slots._replace(time=torch.tensor([[0.8, 0.5, 0.4, 0.5]]))
    assert slots_loss(late, happened) == pytest.approx(0.7 * (0.2 - 0.05 / 2) / 2)
    sure = slots._replace(confidence=torch.tensor([[1.0, 0.6, 1.0, 0.0]]))
    assert slots_loss(sure, happened) == pytest.approx(0.3 * (0.6**2 / 2) / 4)
    blurred = slots.content.clone()
    blurred[0, 0] = torch.tensor([0.8, 0.6, 0.0])
    assert slots_loss(slots._replace(content=blurred), happened) == pytest.approx(1 - 0.6)


def test_a_samples_loss_is_its_own_whatever_the_padding_and_its_batch_mates() -> None:
    generator = torch.Generator().manual_seed(4)
    lengths = [1, 4, 0, 2]
    slots = Slots(*(torch.rand(4, 5, *shape, generator=generator) for shape in ((), (), (6,))))
    time, content = torch.rand(4, 4, generator=generator), torch.rand(4, 4, 6, generator=generator)
    there = torch.arange(4) < torch.tensor(lengths)[:, None]
    alone = [
        slots_loss(
            Slots(*(part[i : i + 1] for part in slots)),
            Happened(time[i : i + 1, :many], content[i : i + 1, :many], there[i : i + 1, :many]),
        )
        for i, many in enumerate(lengths)
    ]
    assert slots_loss(slots, Happened(time, content, there)) == pytest.approx(float(torch.stack(alone).mean()))
    assert alone[2] == pytest.approx(0.3 * float(smooth_l1_loss(slots.confidence[2], torch.zeros(5))))


def test_where_nothing_happened_only_confidence_counts() -> None:
    slots, happened = recalled()
    leaves = Slots(*(part.clone().requires_grad_() for part in slots))
    loss = slots_loss(leaves, happened._replace(there=torch.zeros(1, 3, dtype=torch.bool)))
    assert loss.item() == pytest.approx(0.3 * 2 * (1 - 1 / 2) / 4)
    loss.backward()
    assert all(leaf.grad is not None and leaf.grad.isfinite().all() for leaf in leaves)


def test_the_matching_is_the_best_of_all() -> None:
    generator = torch.Generator().manual_seed(3)
    slots = Slots(torch.rand(1, 5, generator=generator), torch.ones(1, 5), torch.randn(1, 5, 4, generator=generator))
    there = torch.ones(1, 4, dtype=torch.bool)
    happened = Happened(torch.rand(1, 4, generator=generator), torch.randn(1, 4, 4, generator=generator), there)

    def cost(order: tuple[int, ...]) -> float:
        late = 0.7 * smooth_l1_loss(slots.time[0, list(order)], happened.time[0], reduction="none", beta=0.05)
        return float((late - torch.cosine_similarity(slots.content[0, list(order)], happened.content[0], dim=1)).sum())

    assert tuple(match(slots, happened)[0].tolist()) == min(permutations(range(5), 4), key=cost)


def test_half_precision_does_not_reach_the_similarities() -> None:
    vectors = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        under = similarities(vectors)
    assert torch.equal(under, similarities(vectors))
    assert similarities(vectors.bfloat16()).dtype == torch.float32


def test_what_is_not_finite_is_not_matched() -> None:
    slots, happened = recalled()
    with pytest.raises(TrainingError, match="not finite"):
        match(slots._replace(time=slots.time * torch.nan), happened)
    padded = happened.time.masked_fill(~happened.there, torch.nan)
    assert match(slots, happened._replace(time=padded)).tolist() == [[2, 0, -1]]


def test_the_gradient_flows_to_all_three() -> None:
    slots, happened = recalled()
    leaves = Slots(*(part.clone().mul(0.9).add(0.03).requires_grad_() for part in slots))
    slots_loss(leaves, happened).backward()
    assert all(leaf.grad is not None and leaf.grad.abs().sum() > 0 for leaf in leaves)
