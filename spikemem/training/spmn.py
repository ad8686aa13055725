"""What SPMN's training steps share: cells by name, and the sentences."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from spikemem.data.datasets import PAIRS, pairs
from spikemem.errors import MissingDataError, TrainingError
from spikemem.memory.embed import Embedder, Progress
from spikemem.spmn import Cell, RateV1, RateV2
from spikemem.spmn.cell import SpikingCell
from spikemem.spmn.firing import MOST, SATURATION

Build = Callable[[int, int, int], Cell]
TEXT, TIME = 512, 64
"""Cells of the sense for text, the first of an event, and for time: by the latter alone an event's address is chosen at first."""
LOUD = 4.0
"""Norm of a content cell's synapses at first: contents of about +-.6, beside which the noise of shares of spikes is small."""
MAP = 8.0
"""The drive of an address cell by its own moment, about, at first."""
SPREAD = 8
"""Address cells that share an event where there is no sense of time: a write then replaces an eighth of what they hold, not all, and their
64 spikes are not so thin that two events' addresses would differ by chance."""
STEPS = MOST
"""T of an event; the more, the less noise, and in `kernels.spmn` they cost the same."""


def spiking(steps: int) -> Callable[[int, int, int], SpikingCell]:
    """The spiking cell (0 steps: its rate twin) for vectors.

    At first the text alone drives the candidate, so strongly that its contents stand out of the noise of shares of spikes; update gates
    are open, routes and addresses as contents shut. With a sense of time an address is at first a map of it, neighbours for neighbouring
    moments, and an event replaces what its address holds (reset open); without, all events have one address, and add up there (reset
    shut).
    """

    def build(cells: int, width: int, depth: int) -> SpikingCell:
        cell = SpikingCell(cells, width, depth, readers=1, steps=steps)
        with torch.no_grad():
            weights = nn.init.orthogonal_(torch.empty(depth * width, TEXT), LOUD)
            cell.candidate.weight.zero_()[:, :TEXT] = (weights - weights.mean(1, keepdim=True)) / SATURATION
            cell.candidate.bias.zero_()
            update, reset = cell.by_population(cell.gates.bias)
            _, addresses = cell.by_place(cell.places.bias)
            for layer in (cell.gates, cell.hears, cell.brings, cell.routes, cell.places):
                layer.weight.normal_(0.0, 0.01 / SATURATION)
            update.fill_(3.0)
            reset.fill_(3.0 if cells > TEXT else -3.0)
            for layer in (cell.brings, cell.routes):
                layer.bias.fill_(-4.0)
            cell.names.weight.normal_(0.0, 0.003)
            cell.places.bias.zero_()
            if cells > TEXT:
                moments = torch.linspace(0, 1, cells - TEXT)
                apart = torch.linspace(0, 1, width)[:, None] - moments
                cell.names.weight[:, TEXT:] = MAP * torch.exp(-(apart * len(moments)).square() / 2)
            else:
                addresses[:, :SPREAD] = MAP
        return cell

    return build


CELLS: dict[str, Build] = {"spiking": spiking(STEPS), "rate": spiking(0), "rate-v1": RateV1, "rate-v2": RateV2}
"""Each takes the cells of an event, the width, and the depth of the memory."""
AT_MOST = 6000
"""Pairs of a data set's part that are used."""


def builder(name: str) -> Build:
    """A cell of CELLS; TrainingError where there is none of the name."""
    if name not in CELLS:
        raise TrainingError(f"no cell {name!r}; there are {', '.join(CELLS)}")
    return CELLS[name]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's chance from a seed on, on all devices; the caller's is left as it was."""
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def embedded(
    data: Path, embedder: Embedder, part: str, datasets: Sequence[str] = tuple(PAIRS), progress: Progress | None = None
) -> dict[str, tuple[Tensor, Tensor]]:
    """The vectors of the pairs' first and of their second sentences, [n, d] each, by data set; those that are not there are left out.

    Raises MissingDataError where none is there.
    """
    found: dict[str, tuple[Tensor, Tensor]] = {}
    missing = []
    for name in datasets:
        try:
            texts = pairs(data, name, part)[:AT_MOST]
        except MissingDataError as error:
            missing.append(str(error))
            continue
        both = embedder.embed([pair.first for pair in texts] + [pair.second for pair in texts], progress)
        first, second = torch.from_numpy(both).tensor_split(2)
        found[name] = (first, second)
    if not found:
        raise MissingDataError(f"{'; '.join(missing)}: docs/data.md says where to get them")
    return found


def distinct(sentences: Tensor, but: Tensor | None = None) -> Tensor:
    """Each vector once, and none of `but`, [n, d].

    >>> distinct(torch.tensor([[1.0], [2.0], [1.0], [3.0]]), but=torch.tensor([[3.0]])).tolist()
    [[1.0], [2.0]]
    """
    unwanted = set() if but is None else {row.numpy().tobytes() for row in but}
    kept = {key: i for i, row in reversed(list(enumerate(sentences))) if (key := row.numpy().tobytes()) not in unwanted}
    return sentences[sorted(kept.values())]
