"""The whole network: what is sensed becomes events, events write into the memory, slots recall from it."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from spikemem.errors import StimulusError
from spikemem.spmn.cell import SpikingCell
from spikemem.spmn.contract import Cell, Gates
from spikemem.spmn.decoder import Decoder
from spikemem.spmn.encoders import Encoder, Event
from spikemem.spmn.losses import Slots


class Written(NamedTuple):
    """A memory, and how it came about."""

    memory: Tensor
    """M after the last event, [batch, depth, w, w]."""
    gates: list[Gates]
    """Of each event."""


class Flow(NamedTuple):
    """What is under way between the three parts."""

    event: Event | None
    """Encoded in the last tick, to be written in the next."""
    memory: Tensor | None
    """Written in the last tick, to be recalled from in the next."""


class SPMN(nn.Module):
    """Stimulus-Perception Memory Network: inputs -> encoder -> cell -> decoder -> (time, confidence, content).

    Each part is a module of its own and works without the others: `encoder(stimuli)`, `cell.write(memory, event)`, `decoder(memory)`.

    Raises StimulusError where the encoder has not as many cells as the cell listens to, or the decoder reads a memory of another size.
    """

    def __init__(self, encoder: Encoder, cell: Cell, decoder: Decoder) -> None:
        super().__init__()
        if encoder.cells != cell.cells:
            raise StimulusError(f"the encoder has {encoder.cells} cells and the memory cell listens to {cell.cells}; give it as many")
        if (decoder.depth, decoder.width) != (cell.depth, cell.width):
            read, written = (f"{part.depth} depths of width {part.width}" for part in (decoder, cell))
            raise StimulusError(f"the decoder reads a memory of {read} and the cell writes one of {written}; give both the same")
        self.encoder, self.cell, self.decoder = encoder, cell, decoder

    def write(self, stimuli: Mapping[str, Tensor], memory: Tensor | None = None) -> Written:
        """Write a sequence of events.   stimuli: by sense, [batch, events, ...].   memory: to begin with; an empty one without."""
        rates = self.events(stimuli)
        memory = self.cell.initial(len(rates)) if memory is None else memory
        gates = []
        for event in rates.unbind(1):
            memory, gate = self.cell.write(memory, event)
            gates.append(gate)
        return Written(memory, gates)

    def remember(self, stimuli: Mapping[str, Tensor], memory: Tensor | None = None) -> Tensor:
        """The memory after a sequence of events, without the gates, which is faster; arguments as of `write`."""
        if not isinstance(self.cell, SpikingCell):
            return self.write(stimuli, memory).memory
        rates = self.events(stimuli)
        batch, events = rates.shape[:2]
        present = torch.ones(batch, events, dtype=torch.bool, device=rates.device)
        last = torch.stack([torch.arange(batch), torch.full((batch,), events)], 1)
        return self.cell.story(rates, present, last.to(rates.device), memory)

    def events(self, stimuli: Mapping[str, Tensor]) -> Tensor:
        """What the senses make of a sequence of events: rates, [batch, event, cell].

        Raises StimulusError for no stimulus, or senses whose [batch, events] differ.
        """
        begins = {name: tuple(stimulus.shape[:2]) for name, stimulus in stimuli.items()}
        first = next(iter(begins.values()), ())
        if len(first) < 2 or any(begin != first for begin in begins.values()):
            given = f"the senses' stimuli begin with {begins}" if begins else "no stimulus"
            raise StimulusError(f"{given}; give the senses ({', '.join(self.encoder.senses)}) stimuli of one [batch, events, ...]")
        batch, events = first
        return self.encoder({name: stimulus.flatten(0, 1) for name, stimulus in stimuli.items()}).rates.unflatten(0, (batch, events))

    def forward(self, stimuli: Mapping[str, Tensor], memory: Tensor | None = None) -> Slots:
        """What is recalled after a sequence of events; arguments as of `write`."""
        slots: Slots = self.decoder(self.remember(stimuli, memory))
        return slots

    def tick(self, stimuli: Mapping[str, Tensor] | None, flow: Flow) -> tuple[Slots | None, Flow]:
        """One tick of the three as a pipeline, each on what the one before it gave in the last: a recall is two ticks behind its stimulus.

        stimuli: of one event, by sense, [batch, ...]; None where there is no event, so that what is under way comes through.
        flow: Flow(None, None) at first.   Returns the slots, where there is a memory yet.
        """
        slots = None if flow.memory is None else self.decoder(flow.memory)
        memory = flow.memory
        if flow.event is not None:
            before = self.cell.initial(len(flow.event.rates)) if memory is None else memory
            memory = self.cell.write(before, flow.event.rates)[0]
        return slots, Flow(None if stimuli is None else self.encoder(stimuli), memory)
