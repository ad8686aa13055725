"""Sentences as events: word cells, and role populations that each take from a sentence the words that play their role.

    a_e = w(u_e . v_word + b_e,place)                       which word plays role e: a winner-take-all over the sentence's words
    x_e = s(sigmoid(2 sum over words a_e,word v_word))      role e's firing, [cell]
    x   = s(rectified(W sum over words P_place * v_word))   the event population gets them all in their order (Sukhbaatar et al. 2015)

with w and s of `spikemem.spmn.firing`, v_word learned for each word, b and P for each place in a sentence. x_e and x are shares of spikes;
what the event population drives others by is h = SATURATION x (`spikemem.spmn.cell`).
"""

import math

import torch
from torch import Tensor, nn

from spikemem.learn.health import Shares
from spikemem.spmn.cell import GAIN, spread
from spikemem.spmn.firing import STEPS, fire, rectified, win

SHARPNESS = 2.0
NO_WORD = 0
"""Fills short sentences up."""
UNKNOWN = 1
FAR = 1e4
"""Drives an empty place out of the race."""


class SentenceEncoder(nn.Module):
    """Sentences [..., place], numbers of words, to populations [..., population, cell]: roles and, last, the event population.

    words: in the vocabulary, the two special ones included.   places: in the longest sentence.   populations, cells, steps: of an event.
    """

    def __init__(self, words: int, places: int, populations: int, cells: int, steps: int = STEPS) -> None:
        super().__init__()
        self.steps = steps
        self.vectors = nn.Embedding(words, cells, padding_idx=NO_WORD)
        self.roles = nn.Linear(cells, populations - 1)
        self.places = nn.Parameter(0.5 * torch.randn(places, populations - 1))
        self.order = nn.Parameter(1.0 + 0.3 * torch.randn(places, cells))
        self.event = nn.Linear(cells, cells)
        self.populations = Shares(populations, cells)

    def forward(self, sentences: Tensor) -> Tensor:
        """Firing rates, [..., population, cell]."""
        vectors = self.vectors(sentences)
        drive = (self.roles(vectors) + self.places[: sentences.shape[-1]]).masked_fill((sentences == NO_WORD)[..., None], -FAR)
        played = SHARPNESS * win(drive.transpose(-1, -2), self.steps) @ vectors
        order = (self.order[: sentences.shape[-1]] * vectors).sum(-2, keepdim=True)
        rates: Tensor = self.populations(fire(torch.cat([torch.sigmoid(played), rectified(self.event(order))], -2), self.steps))
        return rates


class HopRecall(nn.Module):
    """A question's way through a memory: in each hop readers find what their addresses hold, and what they found leads the next hop.

        k_1 = sum_e mu_e(h) a_e + K_1 h,     k_(n+1) = sum_e epsilon_ne(h) a_e + K_(n+1) h + gamma sum_j alpha_nj(h) rho_nj,
        rho_n = w(k_n)^T M

    h = SATURATION x, a_e and rho as in `spikemem.spmn.cell`, of the question. The result: h, and for each hop the reads and how far each
    agrees with what each role names, rho_nj . tanh(a_e) / sqrt(width), [question, feature].

    cells: of a question's event population.   roles: that name addresses.   depth, width, readers: of the memory.
    hops: reads one after another.
    """

    def __init__(self, cells: int, roles: int, depth: int, width: int, readers: int = 2, hops: int = 3, steps: int = STEPS) -> None:
        super().__init__()
        self.steps, self.readers, self.hops, self.roles, self.width = steps, readers, hops, roles, width
        blocks = readers * depth
        self.mixes = spread(nn.Linear(cells, readers * roles), 0.0, 2.0)
        self.routes = spread(nn.Linear(cells, (hops - 1) * readers * blocks), -2.0, 2.0)
        self.brings = spread(nn.Linear(cells, (hops - 1) * readers * roles), -2.0, 2.0)
        self.places = spread(nn.Linear(cells, hops * readers * width), 0.0, 0.3)
        self.gain = nn.Parameter(torch.tensor(GAIN))
        self.route_cells, self.bring_cells = Shares(self.routes.out_features), Shares(self.brings.out_features)
        self.blocks = blocks
        self.features = cells + hops * blocks * (width + roles)

    def forward(self, h: Tensor, names: Tensor, memory: Tensor) -> Tensor:
        """h: of the questions, as drives, [question, cell].   names: a, [question, role, w].   memory: M, [question, depth, w, w]."""
        many, readers = len(memory), self.readers
        routes = self.route_cells(fire(torch.sigmoid(self.routes(h)), self.steps)).view(many, self.hops - 1, readers, self.blocks)
        brings = self.bring_cells(fire(torch.sigmoid(self.brings(h)), self.steps)).view(many, self.hops - 1, readers, self.roles)
        places = self.places(h).view(many, self.hops, readers, self.width)
        drive = torch.softmax(self.mixes(h).view(many, readers, self.roles), -1) @ names + places[:, 0]
        contents, signed = memory.transpose(1, 2).flatten(2), torch.tanh(names).transpose(1, 2)
        parts = [h]
        for hop in range(self.hops):
            reads = (win(drive, self.steps) @ contents).view(many, -1, self.width)
            parts += [reads.flatten(1), (reads @ signed).flatten(1) / math.sqrt(self.width)]
            if hop < self.hops - 1:
                drive = self.gain * routes[:, hop] @ reads + brings[:, hop] @ names + places[:, hop + 1]
        return torch.cat(parts, 1)
