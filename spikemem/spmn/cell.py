"""The spiking SPMN cell: a memory that events write, through gates that are populations of spiking cells.

The memory M holds `depth` planes of w addresses with w contents each, [depth, w, w], between -1 and 1; a content can be an address. An
event is the firing of an event population, whose shares of spikes x drive others by h = SATURATION x, and of role populations (who, what,
where), x_e [role, cell]; an event without roles names by x itself. What populations send one another are shares of spikes
(`spikemem.spmn.firing`): s(.) of stochastic cells, w(.) of a winner-take-all population. Biases are left out:

    a_e   = A (x_e - 1/2)                                            the address that role e names
    kappa = w(sum_e mu_e(h) a_e + K h),    rho_j = kappa^T M            what R readers find in each plane; j = (reader, plane)
    k_d   = w(sum_e mu_de(h) a_e + K_d h + gamma sum_j alpha_dj(h) rho_j)   plane d's address; it may have been read
    rho_d = k_d^T M_d                                                what it holds
    z_d   = s(sigmoid(Z h + u_d(h) m_d)),  r_d = s(sigmoid(R h + v_d(h) m_d))   update and reset, different populations, [w]
    c_d   = 2 s(sigmoid(2 y_d)) - 1,  E[c_d] = tanh(y_d)                candidate: its population's rate, silence being -1
    y_d   = C h + sum_e eps_de(h) a_e + sum_j chi_dj(h) rho_j + (1 - r_d) rho_d
    M'_d  = (1 - k_d z_d^T) M_d + k_d z_d^T c_d                       additive: from M = 0 a write changes M; |M| <= 1

m_d is the gates' input from the memory: mean squares of the reads and of rho_d, and how far rho_d agrees with tanh(C h + sum eps a).
alpha, chi and eps are shares of spikes of gates, too, which route contents; mu, u and v are synapses that the event modulates, and m_d is
an analog signal at the synapse. The update gate k z^T is the [depth, w, w] gate of the published
cell, for each sample its own, and the gradient goes through the memory.

The published cell is SPMN v0.0.2; routes and addresses follow fast-weight memories (Schmidhuber 1992; Schlag & Schmidhuber 2018), the write
is that of Graves et al. (2014) and of the gated recurrent unit (Cho et al. 2014).
"""

import math
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from spikemem.errors import VectorError
from spikemem.kernels import spmn as kernels
from spikemem.kernels.spmn import ADDRESS, CONTENT, RESET, UPDATE, Kept
from spikemem.kernels.threads import shared
from spikemem.learn.health import Shares
from spikemem.spmn.contract import Gates, check_memory, check_sizes
from spikemem.spmn.firing import MOST, SATURATION, STEPS, fire, seed, win

GAIN = 3.0
"""gamma, at first: a content of +-1 drives an address so much."""
DRIVE = 4.0
"""Of the addresses that roles name, at first: shares of spikes differ by about .35, and addresses then by about 1.4."""


class CellDrive(NamedTuple):
    """What events send to the memory's populations, [batch, event, ...]."""

    key: Tensor
    """kappa, [reader, w]."""
    address: Tensor
    """What drives k apart from the memory, [depth, w]."""
    gates: Tensor
    """What drives z (UPDATE) and r (RESET) apart from the memory, [2, depth, w]."""
    hears: Tensor
    """u and v, [2, depth, reader x depth + 2]."""
    routes: Tensor
    """chi (CONTENT) and alpha (ADDRESS), [2, depth, reader x depth]."""
    candidate: Tensor
    """What drives c apart from the memory, [depth, w]."""


class WriteSpikes(NamedTuple):
    """Shares of the spikes of a write, [batch, depth, w]."""

    update: Tensor
    """z."""
    reset: Tensor
    """r."""
    candidate: Tensor
    """Of the candidate's population: (c + 1) / 2."""


class SpikingCell(nn.Module):
    """The spiking SPMN cell, and, with steps = 0, its rate twin: the same equations with probabilities in place of shares of spikes.

    cells: of an event, all its populations together, which are equally large.   width, depth: of the memory.
    populations: of an event: its roles and, last, the event population; 1 for an event population alone.   readers: R.
    steps: T of an event, up to 64, or 0. Raises VectorError for sizes that do not fit.

    Gates of a write: update k z^T, [batch, depth, w, w], reset r, [batch, depth, w], and candidate c, [batch, depth, w].

    >>> _ = torch.manual_seed(0)
    >>> cell = SpikingCell(cells=32, width=8, depth=3, populations=2)
    >>> memory, gates = cell.write(cell.initial(batch=1), torch.rand(1, 32))
    >>> memory.shape, bool(memory.abs().sum() > 0), bool((gates.update <= 1).all())
    (torch.Size([1, 3, 8, 8]), True, True)
    """

    def __init__(self, cells: int, width: int = 32, depth: int = 4, populations: int = 1, readers: int = 2, steps: int = STEPS) -> None:
        super().__init__()
        if steps != int(steps) or not 0 <= steps <= MOST:
            raise VectorError(f"an event of {steps} steps; take 1 to {MOST}, or 0 for rates")
        check_sizes(cells=cells, width=width, depth=depth, populations=populations, readers=readers)
        if cells % populations:
            raise VectorError(f"{cells} cells cannot be shared equally by {populations} populations; take a multiple")
        self.cells, self.depth, self.width, self.readers, self.steps = cells, depth, width, readers, steps
        self.populations, self.roles = populations, max(populations - 1, 1)
        cells, roles, blocks = cells // populations, self.roles, readers * depth
        self.names = nn.Linear(cells, width, bias=False)
        self.mixes = None if roles == 1 else spread(nn.Linear(cells, (readers + depth) * roles), 0.0, 2.0)  # one role alone is not mixed
        self.places = spread(nn.Linear(cells, (readers + depth) * width), 0.0, 0.3)
        self.gates = nn.Linear(cells, 2 * depth * width)
        self.hears = spread(nn.Linear(cells, 2 * depth * (blocks + 2)), 0.0, 0.3)
        self.routes = spread(nn.Linear(cells, 2 * depth * blocks), -2.0, 1.5)
        self.brings = spread(nn.Linear(cells, depth * roles), -1.0, 2.0)
        self.candidate = nn.Linear(cells, depth * width)
        self.gain = nn.Parameter(torch.tensor(GAIN))
        self.route_cells, self.bring_cells = Shares(self.routes.out_features), Shares(self.brings.out_features)
        self.update_cells, self.reset_cells, self.candidate_cells = (Shares(depth, width) for _ in range(3))
        nn.init.normal_(self.names.weight, 0.0, DRIVE / math.sqrt(cells))

    def initial(self, batch: int) -> Tensor:
        """M = 0, [batch, depth, w, w]."""
        return self.gain.new_zeros(batch, self.depth, self.width, self.width)

    def drive(self, events: Tensor) -> CellDrive:
        """What events [batch, event, cell] send to the memory's populations; no memory is needed for that."""
        if events.ndim != 3 or events.shape[2] != self.cells:
            raise VectorError(f"events have shape {list(events.shape)}; expected [batch, event, {self.cells}]")
        if len(wrong := (~events.isfinite()).nonzero()):
            first = wrong[0, :2].tolist()
            raise VectorError(f"events are NaN or infinite, first in event {first}; mend their source, or train with a lower lr")
        many, h, names = events.shape[:2], self.happening(events), self.named(events)
        keys, addresses = self.by_place(self.mixed(h, names).flatten(-2) + self.places(h))
        brings = self.bring_cells(fire(torch.sigmoid(self.brings(h)), self.steps)).view(*many, self.depth, self.roles)
        return CellDrive(
            win(keys, self.steps),
            addresses,
            self.by_population(self.gates(h)),
            self.by_population(self.hears(h)),
            self.by_population(self.route_cells(fire(torch.sigmoid(self.routes(h)), self.steps))),
            self.candidate(h).view(*many, self.depth, self.width) + brings @ names,
        )

    def by_population(self, sent: Tensor) -> Tensor:
        """What `gates`, `hears` or `routes` send, or their biases, [..., cell], as [..., 2, depth, cell]: update and reset, or what goes to
        the candidate and to the address."""
        return sent.view(*sent.shape[:-1], 2, self.depth, -1)

    def by_place(self, sent: Tensor) -> tuple[Tensor, Tensor]:
        """What `places` sends, or its bias, [..., cell], to the readers' addresses, [..., reader, w], and the planes', [..., depth, w]."""
        places = sent.view(*sent.shape[:-1], -1, self.width)
        return places[..., : self.readers, :], places[..., self.readers :, :]

    def named(self, events: Tensor) -> Tensor:
        """a: the addresses that the roles of events [..., cell] name, [..., role, w]."""
        named: Tensor = self.names(events.view(*events.shape[:-1], self.populations, -1)[..., : self.roles, :] - 0.5)
        return named

    def mixed(self, h: Tensor, names: Tensor) -> Tensor:
        """sum over e of mu_e(h) a_e, of each reader and each plane, [..., reader + plane, w].   names: a, [..., role, w]."""
        if self.mixes is None:
            return names.expand(*names.shape[:-2], self.readers + self.depth, self.width)
        mixed: Tensor = torch.softmax(self.mixes(h).view(*h.shape[:-1], -1, self.roles), -1) @ names
        return mixed

    def happening(self, events: Tensor) -> Tensor:
        """h: the event populations of events [..., cell], as drives, [..., cell / populations]."""
        return SATURATION * events.view(*events.shape[:-1], self.populations, -1)[..., -1, :]

    def read(self, memory: Tensor, keys: Tensor) -> Tensor:
        """rho, [batch, reader x depth, w], of keys [batch, reader, w]."""
        return (keys[:, :, None, None] @ memory[:, None]).reshape(len(memory), -1, self.width)

    def write(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        """One event [batch, cell] into memory [batch, depth, w, w]; returns the memory after it, and the gates."""
        check_memory(self, memory, len(event))
        after, k, spikes = self._write(memory, CellDrive(*(part[:, 0] for part in self.drive(event[:, None]))))
        self._show(spikes)
        return after, Gates(k[..., None] * spikes.update[:, :, None], spikes.reset, 2.0 * spikes.candidate - 1.0)

    forward = write

    def _write(self, memory: Tensor, drive: CellDrive) -> tuple[Tensor, Tensor, "WriteSpikes"]:
        """The memory after a write, its address k [batch, depth, w], and the spikes that made it."""
        reads = self.read(memory, drive.key)
        k = win(drive.address + self.gain * drive.routes[:, ADDRESS] @ reads, self.steps)
        held = (k[:, :, None] @ memory)[:, :, 0]
        agrees = (held * torch.tanh(drive.candidate)).mean(-1)
        told = reads.square().mean(-1)[:, None].expand(-1, self.depth, -1)
        heard = torch.cat([told, torch.stack([agrees, held.square().mean(-1)], -1)], -1)
        gates = fire(torch.sigmoid(drive.gates + (drive.hears * heard[:, None]).sum(-1, keepdim=True)), self.steps)
        z, r = gates[:, UPDATE], gates[:, RESET]
        on = fire(torch.sigmoid(2.0 * (drive.candidate + drive.routes[:, CONTENT] @ reads + (1.0 - r) * held)), self.steps)
        update, c = k[..., None] * z[:, :, None], 2.0 * on - 1.0
        return memory + update * (c[:, :, None] - memory), k, WriteSpikes(z, r, on)

    def _show(self, spikes: "WriteSpikes") -> None:
        """Pass spikes by those who watch (`learn.health`)."""
        for cells, shares in zip((self.update_cells, self.reset_cells, self.candidate_cells), spikes, strict=True):
            cells(shares)

    def story(self, events: Tensor, present: Tensor, asked: Tensor, memory: Tensor | None = None) -> Tensor:
        """Write many events, one after another; returns the memory that each question reads, [question, depth, w, w].

        It equals `write` after `write`, except that the noise draws other spikes.

        events: [batch, event, cell].   present: bool, [batch, event]; an event that is absent leaves the memory as it is, and is
        finite all the same.
        asked: of each question its story and the number of events before it, [question, 2].   memory: at the start; 0 by default.
        """
        memory = self.initial(len(events)) if memory is None else memory
        self._check(events, present, asked, memory)
        if events.device.type == "cpu":
            found, *spikes = _story(*self.drive(events), self.gain, present, asked, memory, self.steps)
            if self.training:
                self._show(WriteSpikes(*(shares[present] for shares in spikes)))
            return cast(Tensor, found)
        return self._story_by_steps(events, present, asked, memory)

    def _story_by_steps(self, events: Tensor, present: Tensor, asked: Tensor, memory: Tensor) -> Tensor:
        """`story`, write after write: on devices for which there is no kernel."""
        drive, course = self.drive(events), [memory]
        for t in range(events.shape[1]):
            after, _, spikes = self._write(course[-1], CellDrive(*(part[:, t] for part in drive)))
            course.append(torch.where(present[:, t, None, None, None], after, course[-1]))
            if self.training:
                self._show(WriteSpikes(*(shares[present[:, t]] for shares in spikes)))
        return torch.stack(course, 1)[asked[:, 0], asked[:, 1]]

    def _check(self, events: Tensor, present: Tensor, asked: Tensor, memory: Tensor) -> None:
        """VectorError where the parts of a story do not fit."""
        batch, many = events.shape[:2]
        if not batch or not many:
            raise VectorError(f"events have shape {list(events.shape)}; give at least one story, of at least one event")
        if present.dtype != torch.bool or present.shape != (batch, many):
            raise VectorError(f"present has shape {list(present.shape)} of {present.dtype}; expected bool, [{batch}, {many}]")
        check_memory(self, memory, batch)
        if asked.ndim != 2 or asked.shape[1] != 2 or (asked < 0).any() or (asked >= torch.tensor([batch, many + 1]).to(asked)).any():
            raise VectorError(f"questions must name one of {batch} stories and 0 to {many} events before them, [question, 2]")


def spread(layer: nn.Linear, mean: float, std: float) -> nn.Linear:
    """A layer whose cells begin unlike one another: alike, they would learn alike.   mean, std: of the biases."""
    nn.init.normal_(layer.bias, mean, std)
    return layer


class _Story(torch.autograd.Function):
    """`SpikingCell.story` on the CPU, by `kernels.spmn`."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, ...]:
        *parts, gain, present, asked, start, steps = inputs
        drive = CellDrive(*(part.detach().contiguous() for part in parts))
        batch, events, depth, width = drive.candidate.shape
        planes, reads = (batch, events, depth, width), (batch, events, drive.key.shape[2] * depth, width)
        memory = start.new_empty(batch, events + 1, depth, width, width)
        memory[:, 0] = start
        kept: Any = Kept(**{name: start.new_empty(reads if name == "reads" else planes) for name in Kept._fields})
        s = seed()
        given = (_arrays(drive), _strength(gain), present.contiguous().numpy(), memory.numpy(), _arrays(kept))
        shared(lambda first, last: kernels.forward(*given, steps, s, first, last), batch, torch.get_num_threads())
        ctx.save_for_backward(*drive, gain, present, asked, memory, *kept)
        spikes = WriteSpikes(kept.z, kept.r, (kept.c + 1.0) / 2.0)
        ctx.mark_non_differentiable(*spikes)
        return memory[asked[:, 0], asked[:, 1]], *spikes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        saved, parts = ctx.saved_tensors, len(CellDrive._fields)
        drive, (gain, present, asked, memory), kept = CellDrive(*saved[:parts]), saved[parts : parts + 4], Kept(*saved[parts + 4 :])
        points, rows = torch.unique(asked, dim=0, return_inverse=True)  # several questions may be asked at one point
        at = torch.full(memory.shape[:2], -1)
        at[points[:, 0], points[:, 1]] = torch.arange(len(points))
        upstream = torch.zeros(len(points), *upstream.shape[1:], dtype=upstream.dtype).index_add_(0, rows, upstream)
        into = CellDrive(*(torch.zeros_like(part) for part in drive))
        into_first, into_gain = torch.zeros_like(memory[:, 0]), memory.new_zeros(len(memory))
        given = (_arrays(drive), _strength(gain), present.contiguous().numpy(), memory.numpy(), _arrays(kept), upstream.numpy(), at.numpy())
        result = (_arrays(into), into_first.numpy(), into_gain.numpy())
        shared(lambda first, last: kernels.backward(*given, *result, first, last), len(memory), torch.get_num_threads())
        return (*into, into_gain.sum(), None, None, into_first, None)


_story: Any = torch.compiler.disable(_Story.apply)  # type: ignore[no-untyped-call]
"""torch.compile cannot look into numba."""


def _arrays(parts: Any) -> Any:
    """A named tuple of tensors as one of arrays, which share their memory."""
    return type(parts)(*(part.numpy() for part in parts))


def _strength(gain: Tensor) -> Any:
    """A gain as a number of its own type."""
    return gain.detach().numpy()[()]
