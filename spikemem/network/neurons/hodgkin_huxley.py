"""Hodgkin and Huxley's membrane of the squid's giant axon: spikes made by sodium and potassium channels, as Brian2 text alone.

    C dV/dt = g_Na m^3 h (E_Na - V) + g_K n^4 (E_K - V) + g_L (E_L - V) + I
    dx/dt   = phi (alpha_x (1 - x) - beta_x x)      for x = m, h, n                 phi = 3^((T - 6.3) / 10)

    alpha_m = 1 / exprel(-(V + 40) / 10)            beta_m = 4 exp(-(V + 65) / 18)
    alpha_h = .07 exp(-(V + 65) / 20)               beta_h = 1 / (exp(-(V + 35) / 10) + 1)
    alpha_n = .1 / exprel(-(V + 55) / 10)           beta_n = .125 exp(-(V + 65) / 80)          exprel(x) = (exp(x) - 1) / x

The paper counts V from rest and downwards; here it is the potential of the inside in mV, with rest at -65. Currents in uA/cm2, conductances
in mS/cm2, capacitance in uF/cm2, times in ms.

The scheme is the exponential Euler method with the network's step, that of Brian2's `method="exponential_euler"`: each variable is solved
exactly while all others stand still at what they were. Steps of .01 ms are usual. A spike is counted where V crosses 0 mV upwards.
"""

from dataclasses import dataclass
from typing import Any, NoReturn

from spikemem.errors import UnsupportedError
from spikemem.network.neurons.contract import Brian2Neuron, Neuron, check

REST = -65.0
"""mV, where V begins: the rest of the axon, from which the paper counts."""
LONGEST = 0.05
"""ms, the longest step: with it rates are within 4 % of those with .01 ms."""
ALPHA = {"m": "1 / exprel(-(v + 40) / 10)", "h": ".07 * exp(-(v + 65) / 20)", "n": ".1 / exprel(-(v + 55) / 10)"}
BETA = {"m": "4 * exp(-(v + 65) / 18)", "h": "1 / (exp(-(v + 35) / 10) + 1)", "n": ".125 * exp(-(v + 65) / 80)"}
"""How fast the gates open and close, 1/ms, at 6.3 degrees Celsius."""


@dataclass(frozen=True)
class HodgkinHuxley(Neuron):
    """The giant axon of the squid (Hodgkin & Huxley 1952), which runs in Brian2 alone; the defaults are those of that paper.

        C dV/dt = g_Na m^3 h (E_Na - V) + g_K n^4 (E_K - V) + g_L (E_L - V) + I

    capacitance: C, uF/cm2.   sodium, potassium, leak: g_Na, g_K, g_L, the largest conductances, mS/cm2.   e_sodium, e_potassium, e_leak:
    where each reverses, mV.   temperature: degrees Celsius; gates are three times as fast for each 10 more.   crossing: mV, a spike is
    counted where V crosses it upwards.

    V is in mV, and begins at -65, with the gates at rest there. Receptors with a reversal potential are in mS/cm2. Other simulators than
    Brian2 refuse it, and `rate` does, since it has no closed form. NetworkError where a step is longer than .05 ms.
    """

    capacitance: float = 1.0
    sodium: float = 120.0
    potassium: float = 36.0
    leak: float = 0.3
    e_sodium: float = 50.0
    e_potassium: float = -77.0
    e_leak: float = -54.387
    temperature: float = 6.3
    crossing: float = 0.0

    from_rest = False
    text_only = True

    def __post_init__(self) -> None:
        for name in ("capacitance", "leak"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"HodgkinHuxley {name}", above=0))
        for name in ("sodium", "potassium"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"HodgkinHuxley {name}", least=0))
        for name in ("e_sodium", "e_potassium", "e_leak", "temperature", "crossing"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"HodgkinHuxley {name}"))

    def check(self, dt: float) -> None:
        check.finite(dt, "the step of a network with HodgkinHuxley neurons", above=0, most=LONGEST, unit=" ms")

    def initial(self, zeros: Any) -> NoReturn:
        raise UnsupportedError('HodgkinHuxley is Brian2 text alone; use simulator="brian2"')

    def step(self, current: Any, state: Any, dt: float) -> NoReturn:
        self.initial(current)

    def rate(self, current: Any, dt: float = 0.01) -> NoReturn:
        """An UnsupportedError: there is no closed form, and no step to count spikes with."""
        raise UnsupportedError('the rate of HodgkinHuxley has no closed form; count its spikes: simulate(..., simulator="brian2")')

    def brian2(self, dt: float) -> Brian2Neuron:
        gates = [f"{x} = {_rest(x)} + ({x} - {_rest(x)}) * exp(-phi * (alpha_{x} + beta_{x}) * dt / ms)" for x in ALPHA]
        reverses = "flows_sodium * e_sodium + flows_potassium * e_potassium + leak * e_leak"
        arrival = [
            "flows_sodium = sodium * m**3 * h",
            "flows_potassium = potassium * n**4",
            "wide = flows_sodium + flows_potassium + leak + opened",
            f"target = ({reverses} + j) / wide",
            *(f"alpha_{x} = {ALPHA[x]}\nbeta_{x} = {BETA[x]}" for x in ALPHA),
            *gates,
            "reached = target + (v - target) * exp(-wide / capacitance * dt / ms)",
            "spiking = int(v <= crossing and reached > crossing)",
            "v = reached",
        ]
        numbers = ("capacitance", "sodium", "potassium", "leak", "e_sodium", "e_potassium", "e_leak", "crossing")
        return Brian2Neuron(
            model="v : 1\nm : 1\nh : 1\nn : 1\nj : 1\nopened : 1\nspiking : 1",
            arrival="\n".join(arrival),
            threshold="spiking > 0",
            reset="",
            numbers={"phi": 3.0 ** ((self.temperature - 6.3) / 10.0), **{name: getattr(self, name) for name in numbers}},
            begin={"v": REST, **{x: f"({ALPHA[x]}) / ({ALPHA[x]} + {BETA[x]})" for x in ALPHA}},
        )


def _rest(gate: str) -> str:
    """Where a gate tends to, by its `alpha` and `beta`, as text."""
    return f"alpha_{gate} / (alpha_{gate} + beta_{gate})"
