"""Sentences as events: word cells, and role populations that each take from a sentence the words that play their role.

    a_e = w(u_e . v_word + b_e,place)                  which word plays role e: a winner-take-all over the sentence's words
    x_e = s(sigmoid(2 sum over words a_e,word v_word))               role e's firing, [cell]

with w and s of `spikemem.spmn.firing`, v_word learned for each word and b for each place in a sentence.
"""

import math

import torch
from torch import Tensor, nn

from spikemem.spmn.cell import GAIN, spread
from spikemem.spmn.firing import STEPS, fire, win

SHARPNESS = 2.0
NO_WORD = 0
"""Fills short sentences up."""
UNKNOWN = 1
FAR = 1e4
"""Drives an empty place out of the race."""


class Words(nn.Module):
    """Sentences [..., place], numbers of words, to role populations [..., role, cell].

    words: in the vocabulary, the two special ones included.   places: in the longest sentence.   roles, cells, steps: of an event.
    """

    def __init__(self, words: int, places: int, roles: int, cells: int, steps: int = STEPS) -> None:
        super().__init__()
        self.steps = steps
        self.vectors = nn.Embedding(words, cells, padding_idx=NO_WORD)
        self.roles = nn.Linear(cells, roles)
        self.places = nn.Parameter(0.5 * torch.randn(places, roles))

    def forward(self, sentences: Tensor) -> Tensor:
        """Firing rates, [..., role, cell]."""
        vectors = self.vectors(sentences)
        drive = (self.roles(vectors) + self.places[: sentences.shape[-1]]).masked_fill((sentences == NO_WORD)[..., None], -FAR)
        share = win(drive.transpose(-1, -2), self.steps)
        return fire(torch.sigmoid(SHARPNESS * share @ vectors), self.steps)


class Recall(nn.Module):
    """A question's way through a memory: in each hop readers find what their addresses hold, and what they found leads the next hop.

        k_1 = sum_e mu_e(h) a_e,     k_(n+1) = sum_e epsilon_ne(h) a_e + gamma sum_j alpha_nj(h) rho_nj,     rho_n = w(k_n)^T M

    h, a_e and rho as in `spikemem.spmn.cell`, of the question. What is told: h, and for each hop the reads and how far each agrees with
    what the roles name, [question, feature].

    cells, roles: of a question's event.   depth, width, readers: of the memory.   hops: reads one after another.
    """

    def __init__(self, cells: int, roles: int, depth: int, width: int, readers: int = 2, hops: int = 3, steps: int = STEPS) -> None:
        super().__init__()
        self.steps, self.readers, self.hops, self.roles, self.width = steps, readers, hops, roles, width
        blocks = readers * depth
        self.event = spread(nn.Linear(roles * cells, cells))
        self.mixes = spread(nn.Linear(cells, readers * roles), 0.0, 2.0)
        self.routes = spread(nn.Linear(cells, (hops - 1) * readers * blocks), -2.0, 2.0)
        self.brings = spread(nn.Linear(cells, (hops - 1) * readers * roles), -2.0, 2.0)
        self.gain = nn.Parameter(torch.tensor(GAIN))
        self.features = cells + hops * blocks * (width + roles)

    def forward(self, roles: Tensor, names: Tensor, memory: Tensor) -> Tensor:
        """roles: of the questions, [question, role, cell].   names: a, [question, role, w].   memory: M, [question, depth, w, w]."""
        many, readers = len(memory), self.readers
        h = fire(torch.sigmoid(self.event(roles.flatten(1))), self.steps)
        routes = fire(torch.sigmoid(self.routes(h)), self.steps).view(many, self.hops - 1, readers, -1)
        brings = fire(torch.sigmoid(self.brings(h)), self.steps).view(many, self.hops - 1, readers, self.roles)
        drive = torch.softmax(self.mixes(h).view(many, readers, self.roles), -1) @ names
        contents, signed = memory.transpose(1, 2).flatten(2), torch.tanh(names).transpose(1, 2)
        told = [h]
        for hop in range(self.hops):
            reads = (win(drive, self.steps) @ contents).view(many, -1, self.width)
            told += [reads.flatten(1), (reads @ signed).flatten(1) / math.sqrt(self.width)]
            if hop < self.hops - 1:
                drive = self.gain * routes[:, hop] @ reads + brings[:, hop] @ names
        return torch.cat(told, 1)
