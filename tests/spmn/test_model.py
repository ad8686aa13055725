"""Decoder and whole network."""

import pytest
import torch
from torch import Tensor

from spikemem.errors import StimulusError, VectorError
from spikemem.spmn import SPMN, Decoder, Encoder, Flow, Moment, RateV1, Slots, Vector

SIZE, WIDTH, SLOTS = 10, 16, 5


def network() -> SPMN:
    torch.manual_seed(0)
    encoder = Encoder({"text": Vector(SIZE, 20), "when": Moment(12)})
    return SPMN(encoder, RateV1(encoder.cells, WIDTH), Decoder(SIZE, WIDTH, depth=2, slots=SLOTS))


def story(events: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {"text": torch.randn(3, events, SIZE, generator=generator), "when": torch.rand(3, events, generator=generator)}


def test_each_slot_reads_one_row_and_then_the_next() -> None:
    """Three orthogonal rows of which one is held twice: three slots read them, strongest first; what is left is noise."""
    decoder = Decoder(WIDTH, WIDTH, depth=1, slots=4)
    with torch.no_grad():
        decoder.content.weight.copy_(torch.eye(WIDTH))
        decoder.content.bias.zero_()
    memory = torch.zeros(1, 1, WIDTH, WIDTH)
    memory[0, 0, [3, 9, 5, 12], [1, 1, 2, 4]] = torch.tensor([0.9, 0.5, 0.7, 0.3])
    read = decoder(memory).content[0].detach()
    assert read[:3].argmax(1).tolist() == [1, 2, 4]
    assert read[0, 1] == pytest.approx((0.9**2 + 0.5**2) / (0.9 + 0.5), rel=1e-2)
    assert read[3].abs().max() < 0.1


def test_recall_of_an_empty_memory_is_finite() -> None:
    model = network()
    slots = model.decoder(model.cell.initial(2))
    assert all(part.isfinite().all() for part in slots)
    assert (slots.confidence.shape, slots.content.shape) == ((2, SLOTS), (2, SLOTS, SIZE))


def test_the_whole_is_its_parts_one_after_the_other() -> None:
    model, stimuli = network(), story(2)
    memory = model.cell.initial(3)
    for i in range(2):
        memory, _ = model.cell.write(memory, model.encoder({name: stimulus[:, i] for name, stimulus in stimuli.items()}).rates)
    apart: Slots = model.decoder(memory)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(apart, model(stimuli), strict=True))
    written = model.write(stimuli)
    assert torch.allclose(written.memory, memory, atol=1e-6)
    assert len(written.gates) == 2


def test_a_tick_is_a_pipeline_whose_recalls_are_two_ticks_behind() -> None:
    model, stimuli = network(), story(5)
    flow, recalls = Flow(None, None), []
    for i in range(7):
        given = {name: stimulus[:, i] for name, stimulus in stimuli.items()} if i < 5 else None
        slots, flow = model.tick(given, flow)
        recalls.append(slots)
    assert recalls[:2] == [None, None]
    assert len(recalls) == 7
    for i, slots in enumerate(recalls[2:], start=1):
        after = model({name: stimulus[:, :i] for name, stimulus in stimuli.items()})
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(slots, after, strict=True))


def test_every_part_gets_a_gradient() -> None:
    model = network()
    slots = model(story(3))
    (slots.time.sum() + slots.confidence.sum() + slots.content.square().sum()).backward()
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.isfinite().all()]
    assert missing == []


def test_parts_that_do_not_fit_are_named() -> None:
    with pytest.raises(VectorError, match="slots is 0; it must be a whole number, at least 1"):
        Decoder(SIZE, WIDTH, depth=2, slots=0)
    with pytest.raises(StimulusError, match="20 cells and the memory cell listens to 21"):
        SPMN(Encoder({"text": Vector(SIZE, 20)}), RateV1(21, WIDTH), Decoder(SIZE, WIDTH, depth=2))
    with pytest.raises(StimulusError, match=r"3 depths of width 16 and the cell writes one of 2 depths of width 16"):
        SPMN(Encoder({"text": Vector(SIZE, 20)}), RateV1(20, WIDTH), Decoder(SIZE, WIDTH, depth=3))


def test_stimuli_of_different_sequences_are_refused() -> None:
    model, stimuli = network(), story(4)
    turned = stimuli | {"when": stimuli["when"].T}  # as many stimuli in all, of other samples
    for wrong in (turned, {"text": stimuli["text"], "when": stimuli["when"][0]}, {"when": stimuli["when"][0]}):
        with pytest.raises(StimulusError, match=r"begin with .* give the senses \(text, when\)"):
            model(wrong)
    with pytest.raises(StimulusError, match="no stimulus"):
        model({})
