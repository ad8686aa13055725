"""Leaky integrate-and-fire neurons: parameters, one time step, the analytic firing rate, and the same cell as Brian2 equations.

The step of `neurons.contract`, with every option:

    J[t] = gamma J[t-1] + I[t]                           gamma = exp(-dt / tau_syn); J = I where tau_syn is 0
    V[t] = beta V[t-1] + R J[t] - theta S[t-1]           beta = exp(-dt / tau); reset by subtraction, or
    V[t] = beta V'[t-1] + R J[t]                         reset to a value: V' is the reset where S[t-1], V elsewhere
    S[t] = V[t] > theta                                  strict; then the population's inhibition chooses

For the refractory steps after a spike V stands still at what the reset made of it, R J is lost, and S is 0; J goes on. J starts at 0.
With no options it is the reset-by-subtraction `snntorch.Leaky`.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import (
    Array,
    Brian2Neuron,
    CompiledNeuron,
    CompiledStep,
    Neuron,
    Numbers,
    check,
    each,
    exp,
    flat,
    kept,
    mapped,
    parameter,
    where,
    whole_steps,
)


class LIFState(NamedTuple):
    """What a leaky integrate-and-fire cell carries from one step to the next."""

    voltage: Any
    """V, in the unit of the threshold, [..., cell]."""
    spikes: Any
    """S, bool, [..., cell]."""
    current: Any = 0.0
    """J, the synaptic current, [..., cell]; carried only where tau_syn is above 0."""
    refractory: Any = 0
    """Refractory steps left, this one included, [..., cell]; carried only where there is a refractory time."""


@dataclass(frozen=True)
class LIF(Neuron):
    """Leaky integrate-and-fire (Lapicque 1907; in its plain form the `snntorch.Leaky` of Eshraghian et al. 2023).

        J[t] = gamma J[t-1] + I[t],   V[t] = beta V[t-1] + R J[t] - theta S[t-1],   S[t] = V[t] > theta

    The whole contract, with reset to a value and refractoriness, is stated at the head of this module.

    Each parameter is a number or an array with one for each cell, [cell]; `made_for` is one number.

    tau: membrane time constant, ms, > 0; `math.inf` gives the perfect integrator (beta = 1).
    threshold: theta, above rest, > 0; dimensionless, or mV.
    reset: None subtracts theta; a number below theta is the V that a spike leaves behind.
    refractory: absolute refractory time, ms, >= 0, a whole number of steps.
    tau_syn: time constant of the exponential synaptic current, ms, >= 0; 0 for currents that last one step.
    resistance: R, what a unit of current adds to V in one step, > 0.
    made_for: the dt in ms that the resistance was computed for; a network of another dt refuses the cell. None fits any.

    Raises NetworkError where a parameter is out of its range.

    >>> LIF(tau=20.0).beta(dt=1.0).__round__(4)
    0.9512
    >>> LIF(tau=[10.0, 20.0]).tau, LIF(tau=[10.0, 20.0]).cells
    ((10.0, 20.0), 2)
    """

    tau: Numbers = 20.0
    threshold: Numbers = 1.0
    reset: Numbers | None = None
    refractory: Numbers = 0.0
    tau_syn: Numbers = 0.0
    resistance: Numbers = 1.0
    made_for: float | None = None

    def __post_init__(self) -> None:
        made = {
            "tau": parameter(self.tau, "LIF tau", " ms", above=0, most=math.inf),
            "threshold": parameter(self.threshold, "LIF threshold", above=0),
            "reset": None if self.reset is None else parameter(self.reset, "LIF reset"),
            "refractory": parameter(self.refractory, "LIF refractory", " ms", least=0),
            "tau_syn": parameter(self.tau_syn, "LIF tau_syn", " ms", least=0),
            "resistance": parameter(self.resistance, "LIF resistance", above=0),
            "made_for": None if self.made_for is None else check.finite(self.made_for, "LIF made_for", above=0, unit=" ms"),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)  # the dataclass is frozen
        if len({len(value) for value in self.varying}) > 1:
            raise NetworkError("LIF parameters are of different numbers of cells; give each one number, or one for each cell")
        if 0.0 in flat(self.tau_syn) and self.tau_syn:
            raise NetworkError("LIF tau_syn is 0 for some cells and not for others; give these two populations")
        if self.reset is None and 0.0 in flat(self.refractory) and self.refractory:
            raise NetworkError("LIF refractory is 0 for some cells and not for others, without a reset; give these two populations")
        if self.reset is not None and not all(flat(mapped(lambda reset, theta: reset < theta, self.reset, self.threshold))):
            raise NetworkError(f"LIF reset is {self.reset}; it must be below the threshold of {self.threshold}, or None")

    @property
    def varying(self) -> list[tuple[float, ...]]:
        """The parameters that differ from cell to cell."""
        return [value for name in PARAMETERS if isinstance(value := getattr(self, name), tuple)]

    @property
    def cells(self) -> int | None:
        return len(self.varying[0]) if self.varying else None

    @classmethod
    def from_equation(cls, dt: float, *, tau: float, threshold: float, reset: float | None = None, refractory: float = 0.0) -> "LIF":
        """The cell of the differential equation, as Brian2 and textbooks write it, solved exactly for steps of dt ms.

            tau dV/dt = -V + I                           R = 1 - exp(-dt / tau), so that V tends to I

        V from rest, and I in the same unit; a current from outside stands still within a step. Times in ms.

        >>> cell = LIF.from_equation(0.1, tau=20.0, threshold=10.0, reset=0.0)
        >>> cell.rate([9.0, 20.0], dt=0.1).round(1).tolist()
        [0.0, 72.1]
        """
        tau, dt = check.finite(tau, "tau", above=0, unit=" ms"), check.finite(dt, "dt", above=0, unit=" ms")
        return cls(tau, threshold, reset, refractory, resistance=-math.expm1(-dt / tau), made_for=dt)

    @classmethod
    def if_curr_exp(
        cls,
        dt: float,
        *,
        tau_m: float,
        c_m: float,
        v_thresh: float,
        v_rest: float,
        v_reset: float,
        tau_syn: float,
        tau_refrac: float = 0.0,
    ) -> "LIF":
        """PyNN's `IF_curr_exp` as SpiNNaker integrates it (Davison et al. 2008; Rhodes et al. 2018); weights are then in nA.

            V[t] = beta V[t-1] + (1 - beta) (tau_m / c_m) q J[t],   q = (tau_syn / dt) (1 - exp(-dt / tau_syn)),

        where q is the mean of a unit current that decays for a step. Times in ms, c_m in nF, voltages in mV.
        """
        tau_m, c_m = check.finite(tau_m, "tau_m", above=0), check.finite(c_m, "c_m", above=0)
        tau_syn, dt = check.finite(tau_syn, "tau_syn", above=0), check.finite(dt, "dt", above=0)
        v_thresh, v_rest, v_reset = (
            check.finite(v, name) for v, name in ((v_thresh, "v_thresh"), (v_rest, "v_rest"), (v_reset, "v_reset"))
        )
        mean = (tau_syn / dt) * -math.expm1(-dt / tau_syn)
        resistance = (tau_m / c_m) * -math.expm1(-dt / tau_m) * mean
        return cls(tau_m, v_thresh - v_rest, v_reset - v_rest, tau_refrac, tau_syn, resistance, made_for=dt)

    def beta(self, dt: float) -> Any:
        """The decay of the membrane in one step of dt ms, in (0, 1]; a tuple where it differs from cell to cell, as all that follows."""
        return kept(self.tau, ("decay", dt), lambda tau: math.exp(-dt / tau))

    def gamma(self, dt: float) -> Any:
        """The decay of the synaptic current in one step of dt ms, in [0, 1)."""
        return kept(self.tau_syn, ("decay", dt), lambda tau: math.exp(-dt / tau) if tau else 0.0)

    def refractory_steps(self, dt: float) -> Any:
        """The refractory time in steps of dt ms."""
        return kept(self.refractory, ("steps", dt), lambda time: whole_steps(time, dt))

    def share(self, tau: Numbers, dt: float) -> Numbers:
        """What a current that decays with tau ms adds to V in a step, against a constant one: the exact integral over the step.

        tau (gamma - beta) / ((tau - tau_m) (1 - beta))                      gamma = exp(-dt / tau)
        """
        if math.inf in flat(self.tau):
            raise NetworkError("receptors that decay need LIF cells that leak; give a finite tau")
        return mapped(lambda decays, leaks: _share(decays, leaks, dt), tau, self.tau)

    def check(self, dt: float) -> None:
        """Refractory times are whole steps, and a resistance that was made for one dt fits no other."""
        for time in flat(self.refractory):
            if time and whole_steps(time, dt) < 1:
                raise NetworkError(f"a refractory time of {time} ms is shorter than a step of {dt} ms")
        if self.made_for not in (None, dt):
            raise NetworkError(f"its resistance was made for a dt of {self.made_for} ms, the network's is {dt} ms")

    def initial(self, zeros: Array) -> LIFState:
        return LIFState(zeros, zeros != 0)

    def restart(self, state: LIFState) -> LIFState:
        """V and S are 0, no cell is refractory; J goes on."""
        return super().restart(state)._replace(refractory=0)

    def step(self, current: Array, state: LIFState, dt: float) -> LIFState:
        """One step of the contract, for numpy arrays and torch tensors alike.

        current: I[t], [..., cell].   state: of step t - 1.   Returns the state of step t.
        """
        return self._moved(current, each(self.beta(dt), state.voltage), each(self.resistance, state.voltage), state, dt)

    def conducting(self, current: Array, conductance: Array, state: LIFState, dt: float) -> LIFState:
        """The step with open channels, which shorten the membrane's time constant: the exact solution where they stand still in a step.

            a = 1 + rho g[t],   rho = R / (1 - beta)             V[t] = V[t-1] exp(-a dt / tau) + rho I[t] (1 - exp(-a dt / tau)) / a

        The exponential Euler method, as Brian2 has it.   conductance: g, against the leak divided by rho, [..., cell].
        """
        if self.tau_syn or isinstance(self.tau, tuple) or isinstance(self.resistance, tuple) or math.isinf(self.tau):
            raise NetworkError("conductances need LIF cells that leak, with one time constant and resistance for all, and without tau_syn")
        rho = self.resistance / -math.expm1(-dt / self.tau)
        opened = 1.0 + rho * conductance
        decay = exp(opened * (-dt / self.tau))
        return self._moved(current, decay, rho * (1.0 - decay) / opened, state, dt)

    def _moved(self, current: Array, beta: Any, gain: Any, state: LIFState, dt: float) -> LIFState:
        """A step with V[t] = beta V[t-1] + gain J[t]."""
        theta, spikes, synaptic = each(self.threshold, state.voltage), state.spikes, current
        if self.tau_syn:
            synaptic = each(self.gamma(dt), current) * state.current + current
        stays = state.voltage
        if self.reset is not None or self.refractory:
            after = state.voltage - theta if self.reset is None else 0.0 * state.voltage + each(self.reset, state.voltage)
            stays = where(spikes, after, state.voltage)
        if self.reset is None:
            decayed = beta * state.voltage + gain * synaptic
            voltage = where(spikes, decayed - theta, decayed)
        else:
            voltage = beta * stays + gain * synaptic
        if not self.refractory:
            return LIFState(voltage, voltage > theta, synaptic)
        rest = each(self.refractory_steps(dt), state.voltage)
        left = rest * spikes + (state.refractory - 1 * (state.refractory > 0)) * ~spikes
        held = left > 0
        voltage = where(held, stays, voltage)
        return LIFState(voltage, (voltage > theta) & ~held, synaptic, left)

    def compiled(self, dt: float) -> CompiledNeuron:
        reset = math.nan if self.reset is None else self.reset
        return CompiledNeuron(self.beta(dt), self.gamma(dt), self.resistance, self.threshold, reset, self.refractory_steps(dt))

    def brian2(self, dt: float) -> Brian2Neuron:
        """The same cell for Brian2. A subtraction waits in `arrival` for V to have decayed; `spiked` remembers it."""
        moves = " * int(not_refractory)" if self.refractory else ""
        model = [f"dv/dt = -v / tau{moves} : 1", "dj/dt = -j / tau_syn : 1" if self.tau_syn else "j : 1", "spiked : 1"]
        at_once = self.reset is not None or self.refractory
        arrival = f"v += resistance * j{moves}" + ("" if at_once else " - theta * spiked\nspiked = 0")
        return Brian2Neuron(
            "\n".join(model),
            arrival,
            threshold="v > theta",
            reset=("v = reset" if self.reset is not None else "v -= theta") if at_once else "spiked = 1",
            start="" if self.tau_syn else "j = 0",
            restart="v = 0\nspiked = 0",
            refractory=self.refractory,
            numbers={"theta": self.threshold, "resistance": self.resistance, "reset": self.reset or 0.0},
            times={"tau": self.tau, "tau_syn": self.tau_syn},
        )

    def stepped(self, dt: float) -> CompiledStep | None:
        if self.varying or self.tau_syn:
            return None
        from spikemem.kernels import neurons

        beta, reset, rest = self.beta(dt), math.nan if self.reset is None else self.reset, float(self.refractory_steps(dt))
        constants = beta, self.resistance, self.threshold, reset, rest, self.resistance / -math.expm1(-dt / self.tau), dt / self.tau
        return CompiledStep(neurons.lif, constants, ("voltage", "refractory") if rest else ("voltage",))

    def brian2_conducting(self, dt: float) -> Brian2Neuron:
        """The same, with the exponential Euler step in `arrival`."""
        text, moves = self.brian2(dt), " * int(not_refractory)" if self.refractory else ""
        subtracts = "" if self.reset is not None or self.refractory else " - theta * spiked\nspiked = 0"
        wide = "(1 + rho * opened)"
        arrival = f"v += (rho * j / {wide} - v) * (1 - exp(-dt / tau * {wide})){moves}{subtracts}"
        numbers = {**text.numbers, "rho": self.resistance / -math.expm1(-dt / self.tau)}
        return text._replace(model="v : 1\nj : 1\nopened : 1\nspiked : 1", arrival=arrival, numbers=numbers)

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The firing rate in Hz under a constant current; a simulation's mean interval is within one step of its inverse.

        Under a constant current J = I / (1 - gamma) and V tends to V_inf = R J / (1 - beta). On a periodic orbit of n steps the voltage
        at the spike is V_inf - theta beta^(n-1) / (1 - beta^n) for reset by subtraction, and V_inf (1 - beta^n) + reset beta^n for reset
        to a value. Setting it to theta gives the interval

            n = 1 + (tau / dt) ln(beta + theta / (V_inf - theta))        subtraction, at once
            n = (tau / dt) ln((V_inf - reset) / (V_inf - theta))         to a value, or, with reset 0, subtraction and a refractory time
            n = (theta - reset) / (R J)                                  tau = inf

        which is at least one step; the refractory time is added to it.

        >>> LIF(tau=math.inf).rate([0.0, 0.1, 0.5, 3.0]).tolist()
        [0.0, 100.0, 500.0, 1000.0]
        """
        if (count := self.cells) is not None:
            drives = np.broadcast_to(np.asarray(current, dtype=np.float64), np.broadcast_shapes(np.shape(current), (count,)))
            return np.stack([cell.rate(drives[..., c], dt) for c, cell in enumerate(self.separate())], axis=-1)
        drive = self.resistance * np.asarray(current, dtype=np.float64) / (1.0 - self.gamma(dt))
        beta, reset = self.beta(dt), self.reset or 0.0
        interval = np.full(drive.shape, np.inf)
        if beta == 1.0:
            fires = drive > 0
            interval[fires] = (self.threshold - reset) / drive[fires]
        else:
            ceiling = drive / (1.0 - beta)
            fires = ceiling > self.threshold
            beyond = ceiling[fires] - self.threshold
            if self.reset is None and not self.refractory:
                interval[fires] = 1.0 + (self.tau / dt) * np.log(beta + self.threshold / beyond)
            else:
                interval[fires] = (self.tau / dt) * np.log((ceiling[fires] - reset) / beyond)
        return 1000.0 / (dt * np.maximum(interval, 1.0) + self.refractory)

    def separate(self) -> "list[LIF]":
        """Cells that differ, as a neuron each."""
        parts = {name: getattr(self, name) for name in PARAMETERS}
        each_of = {name: value for name, value in parts.items() if isinstance(value, tuple)}
        return [replace(self, **{name: value[c] for name, value in each_of.items()}) for c in range(self.cells or 0)]


def _share(tau: float, membrane: float, dt: float) -> float:
    """`LIF.share` of one cell."""
    beta = math.exp(-dt / membrane)
    if abs(tau - membrane) < 1e-9 * membrane:
        return dt / membrane * beta / (1.0 - beta)
    return tau * (math.exp(-dt / tau) - beta) / ((tau - membrane) * (1.0 - beta))


PARAMETERS = ("tau", "threshold", "reset", "refractory", "tau_syn", "resistance")
"""Those that may differ from cell to cell."""
