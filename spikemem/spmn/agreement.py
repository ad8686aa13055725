"""How far the spiking cell's gates lie from its rate twin's, gate by gate."""

import torch
from torch import Tensor

from spikemem.spmn.cell import SpikingCell


@torch.no_grad()
def differences(cell: SpikingCell, events: Tensor, steps: int) -> dict[str, float]:
    """Mean |spiking - rate| of update, reset and candidate, and of the memory that they leave, over a story's events.

    Before each event both have the rate twin's memory, so that what differs is one write of `steps` steps.   events: [batch, event, cell].
    """
    was, memory = cell.steps, cell.initial(len(events))
    apart = {"update": 0.0, "reset": 0.0, "candidate": 0.0, "memory": 0.0}
    try:
        for event in events.unbind(1):
            cell.steps = steps
            after, spiking = cell.write(memory, event)
            cell.steps = 0
            memory, rate = cell.write(memory, event)
            for name, a, b in (*zip(apart, spiking, rate, strict=False), ("memory", after, memory)):
                apart[name] += (a - b).abs().mean().item() / events.shape[1]
    finally:
        cell.steps = was
    return apart
