"""How weights change over a run."""

from typing import Any

from spikemem.errors import NetworkError
from spikemem.network.graph import Network
from spikemem.simulators.recording import WeightCourse
from spikemem.simulators.registry import simulate
from spikemem.simulators.stimulus import Stimulus, check, checked


def weight_course(net: Network, stimulus: Stimulus, steps: int, snapshots: int = 10, **options: Any) -> WeightCourse:
    """The weights of a network at times evenly spread over a run, from the start to the end.

    It is `simulate` with all plastic projections in `record`, where a run is wanted for its weights alone.
    net, stimulus, steps: as `simulate` takes them; `options` are its keywords, such as `simulator`.
    snapshots: after the start, >= 1; the steps are a multiple of them.
    """
    steps = check.integer(steps, "steps", least=1)
    snapshots = check.integer(snapshots, "snapshots", least=1, most=steps)
    if steps % snapshots:
        raise NetworkError(f"{steps} steps are no multiple of {snapshots} snapshots; take {steps - steps % snapshots} steps")
    drive = checked(net, stimulus, steps)
    plastic = [projection for projection in net.projections if projection.plasticity is not None]
    if not plastic:
        raise NetworkError("no projection of the network is plastic; connect one with a rule, plasticity=STDP()")
    held = sum(p.synapses.shape[0] * p.synapses.shape[1] for p in plastic)
    check.room((snapshots + 1) * drive.batches * held, "the weights of all snapshots", "take fewer")
    record = {**(options.pop("record", None) or {}), **{p.name: steps // snapshots for p in plastic}}
    recording = simulate(net, stimulus, steps, record=record, **options)
    return WeightCourse(recording.course(plastic[0].name).time, recording.snapshots)
