"""The interface of a simulator: its name, the function that runs it, and what it cannot simulate."""

from collections.abc import Callable
from dataclasses import dataclass

from spikemem.errors import NetworkError, StimulusError, UnsupportedError
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.simulators.stimulus import Simulation

TORCH_DEVICES = "torch"
"""In a simulator's `devices`: any device that torch has."""


@dataclass(frozen=True)
class Simulator:
    """A simulator: something that runs a `Simulation` by the step contract of `network.neurons.contract` and hands over a `Recording`.

    name: unique; "NAME:VARIANT" is a variant of another one, which is not compared by default.
    description: one line for help texts and tables.
    run: runs a simulation; what it needs is imported when it is called, not before.
    dtypes: of "float64" and "float32".   devices: "cpu", and `TORCH_DEVICES` for any of torch.
    extra: what has to be installed for it, empty where nothing.   lacks: what it cannot simulate, empty where nothing; it raises
    UnsupportedError, naming itself and the population or projection, where a network needs that.
    resumes: whether it goes on from the state in which an earlier run ended.   stops: whether it heeds the simulation's `watch`.
    reads_text: whether it runs a neuron's Brian2 text; one that does not refuses neurons that are nothing else (`Neuron.text_only`).
    scans: whether it finds what is not finite in a stimulus itself; for others that is done before they run.
    timed: as `run`, with the seconds that went to a compiler, where that compiles anew for each run.
    """

    name: str
    description: str
    run: Callable[[Simulation], Recording]
    dtypes: tuple[str, ...] = ("float64",)
    devices: tuple[str, ...] = ("cpu",)
    extra: str = ""
    lacks: str = ""
    timed: Callable[[Simulation], tuple[Recording, float]] | None = None
    resumes: bool = False
    reads_text: bool = False
    stops: bool = False
    scans: bool = False

    def check(self, device: str, dtype: str) -> None:
        """Raise where it does not run on a device, or not with a dtype."""
        if dtype not in self.dtypes:
            raise StimulusError(f'simulator "{self.name}" computes in {" or ".join(self.dtypes)}; use "torch" for {dtype}')
        if device not in self.devices and TORCH_DEVICES not in self.devices:
            raise NetworkError(f'simulator "{self.name}" runs on {" or ".join(self.devices).replace("cpu", "the CPU")}, not on {device!r}')

    def check_neurons(self, net: Network) -> None:
        """UnsupportedError where a neuron is Brian2 text alone, and this simulator does not read it."""
        for population in net.populations.values():
            if population.neuron.text_only and not self.reads_text:
                kind = type(getattr(population.neuron, "neuron", population.neuron)).__name__  # the one behind receptors
                raise UnsupportedError(
                    f"{self.name} cannot simulate {population.name!r}: {kind} is Brian2 text alone, "
                    f'without a step of its own; use simulator="brian2"'
                )
