"""The senses: each fires, learns, and may be missing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spikemem.errors import StimulusError, VectorError
from spikemem.learn import Settings, fit
from spikemem.spmn import Encoder, Image, Moment, Sense, Sound, Vector
from tests.spmn.stimuli import BINS, SHAPES, SIDE, SOUNDS, pictures, spectrograms


class Classifier(nn.Module):
    """Reads a sense's spike counts."""

    def __init__(self, sense: Sense, classes: int) -> None:
        super().__init__()
        self.encoder, self.out = Encoder({"sense": sense}), nn.Linear(sense.cells, classes)

    def forward(self, stimulus: Tensor) -> Tensor:
        logits: Tensor = self.out(self.encoder({"sense": stimulus}).rates)
        return logits


def all_senses() -> Encoder:
    torch.manual_seed(0)
    return Encoder(
        {"text": Vector(30, 40), "image": Image((1, SIDE, SIDE), 24), "sound": Sound(BINS, 32), "touch": Vector(6, 8), "when": Moment(16)}
    )


def all_stimuli(n: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    text, touch, when = (torch.rand(n, *shape, generator=generator) for shape in ((30,), (6,), ()))
    return {"text": text - 0.5, "image": pictures(n, 1)[0], "sound": spectrograms(n, 1)[0], "touch": touch, "when": when}


def test_every_sense_fires_and_rates_are_its_counts() -> None:
    encoder, stimuli = all_senses(), all_stimuli(20)
    event = encoder(stimuli)
    assert event.rates.shape == (20, encoder.cells) == (20, 40 + 24 + 32 + 8 + 16)
    assert {name: len(spikes) for name, spikes in event.spikes.items()} == {"text": 8, "image": 8, "sound": 24, "touch": 8, "when": 8}
    assert all(set(spikes.unique().tolist()) == {0.0, 1.0} for spikes in event.spikes.values())
    assert torch.equal(event.rates[:, 40:64], event.spikes["image"].mean(0))


def test_a_missing_sense_is_silent_and_leaves_the_others_alone() -> None:
    encoder, stimuli = all_senses(), all_stimuli(5)
    whole = encoder(stimuli).rates
    deaf = encoder({name: stimulus for name, stimulus in stimuli.items() if name != "sound"})
    assert "sound" not in deaf.spikes
    assert deaf.rates[:, 64:96].count_nonzero() == 0
    assert whole[:, 64:96].count_nonzero() > 0
    assert torch.equal(deaf.rates[:, :64], whole[:, :64])
    assert torch.equal(deaf.rates[:, 96:], whole[:, 96:])


def test_moments_are_told_by_cells_in_their_order() -> None:
    spikes = Moment(64)(torch.linspace(0, 1, 50)).mean(0)
    centre = (spikes * torch.linspace(0, 1, 64)).sum(1) / spikes.sum(1)
    assert (centre - torch.linspace(0, 1, 50)).abs().max() < 1 / 64
    assert ((spikes > 0).sum(1) <= 6).all()


@pytest.mark.parametrize(
    ("sense", "stimuli", "classes"),
    [(lambda: Image((1, SIDE, SIDE), 32), pictures, SHAPES), (lambda: Sound(BINS, 48), spectrograms, SOUNDS)],
)
def test_shapes_and_tones_are_learned_from_spikes(
    sense: Callable[[], Sense], stimuli: Callable[[int, int], tuple[Tensor, Tensor]], classes: tuple[str, ...]
) -> None:
    torch.manual_seed(0)
    model = Classifier(sense(), len(classes))
    seen, unseen = stimuli(600, 0), stimuli(300, 1)

    def right() -> float:
        with torch.no_grad():
            return (model(unseen[0]).argmax(1) == unseen[1]).double().mean().item()

    before = right()
    fit(model, seen, lambda net, batch: functional.cross_entropy(net(batch[0]), batch[1]), Settings(epochs=25, batch=50, lr=5e-3))
    assert before < 0.6
    assert right() > 0.93


@pytest.mark.parametrize(
    ("change", "clue"),
    [
        ({"smell": torch.ones(5, 2)}, "no sense .*smell.*text, image, sound"),
        ({"touch": torch.ones(5, 7)}, r"touch has shape \[5, 7\]; expected \[batch, 6\]"),
        ({"sound": torch.ones(5, 7)}, r"expected \[batch, -1, 20\]"),
        ({"touch": torch.ones(4, 6)}, "batches differ"),
        ({"when": torch.tensor([0.0, 1.0, 0.5, 7.0, -1.0])}, r"when lies outside \[0, 1\], first in sample 3"),
    ],
)
def test_stimuli_that_do_not_fit_are_named(change: dict[str, Tensor], clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        all_senses()(all_stimuli(5) | change)


def test_no_stimulus_at_all_is_refused() -> None:
    with pytest.raises(StimulusError, match="no stimulus"):
        all_senses()({})


@pytest.mark.parametrize("sense", ["text", "image", "sound", "touch", "when"])
@pytest.mark.parametrize("value", [torch.nan, -torch.inf])
def test_a_stimulus_that_is_not_finite_is_no_silence(sense: str, value: float) -> None:
    stimuli = all_stimuli(5)
    stimuli[sense].view(5, -1)[3, -1] = value
    with pytest.raises(VectorError, match=f"{sense} is NaN or infinite, first in sample 3"):
        all_senses()(stimuli)
