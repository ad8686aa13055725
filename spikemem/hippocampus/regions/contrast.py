"""Contrast cells: a layer between the difference of two wordings (`difference`) and the gates."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import SpecError
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.difference import CELLS, COMPARED, Heard
from spikemem.hippocampus.regions.gate_phases import GATES, HOLD, JUDGE, SAMPLES, START, Phase, held, on_grid, population
from spikemem.hippocampus.regions.rhythm import DT, GAMMA
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.synapses import Dense

EFFICACY = 1 / 64
"""The weight of a spike of cells that compare phrases, of which there are many: synapses onto contrast cells are in units of it."""


class ContrastCells:
    """Cells between the difference of two wordings and the gates.

        H_h = 1 where  sum_i u_hi D_i + sum_i (v_hi |n_new - n_old|_i + s_hi min(n_new, n_old)_i) > 1,      onto gate g: d_gi D_i + h_gh H_h

    ON and OFF cells of a component have the same synapses, and so have the cells of what is extra and of what is missing.

    onto_contrast: u, [CELLS, h].   phrases: v and s in units of `EFFICACY`, [2, d, h].   onto_gate: d, [CELLS, gate].   out: h, [h, gate].
    """

    def __init__(
        self, onto_contrast: NDArray[np.float64], phrases: NDArray[np.float64], onto_gate: NDArray[np.float64], out: NDArray[np.float64]
    ) -> None:
        hidden = onto_contrast.shape[-1]
        wanted = (CELLS, hidden), (2, phrases.shape[1] if phrases.ndim == 3 else -1, hidden), (CELLS, len(GATES)), (hidden, len(GATES))
        given = (onto_contrast, phrases, onto_gate, out)
        if tuple(a.shape for a in given) != wanted:
            raise SpecError(f"contrast cells need synapses of shapes {wanted}, not {tuple(a.shape for a in given)}")
        self.onto_contrast, self.phrases, self.onto_gate, self.out = (
            on_grid(a) for a in (onto_contrast, EFFICACY * phrases, onto_gate, out)
        )

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "ContrastCells":
        """Those of a weights file; KeyError where it lacks one."""
        made = (np.asarray(arrays[name], np.float64) for name in ("onto_contrast", "phrases", "onto_gate", "out"))
        return cls(*made)

    @classmethod
    def deaf(cls) -> "ContrastCells":
        """None at all."""
        return cls(np.zeros((CELLS, 0)), np.zeros((2, 0, 0)), np.zeros((CELLS, len(GATES))), np.zeros((0, len(GATES))))

    @property
    def dim(self) -> int:
        """d of the phrases' vectors; 0 where none is heard."""
        return self.phrases.shape[1]

    def __len__(self) -> int:
        return self.onto_contrast.shape[1]

    def fired(self, heard: Heard) -> NDArray[np.bool_]:
        """Which contrast cells fire, [h]."""
        if not len(self):
            return np.zeros(0, bool)
        extra, missing, shared = heard.phrases.reshape(len(COMPARED), 2, -1).sum(1)
        drive = heard.cells @ self.onto_contrast + (extra + missing) @ self.phrases[0] + shared @ self.phrases[1]
        above: NDArray[np.bool_] = drive > ec.PERFECT.threshold
        return above

    def onto_gates(self, heard: Heard) -> NDArray[np.float64]:
        """What the gates receive of a difference, [gate]."""
        return np.asarray(heard.cells @ self.onto_gate + self.fired(heard) @ self.out, np.float64)

    def build(self, net: Network, cells: int) -> None:
        """Add `contrast` to a circuit with its gates.   cells: of each gate."""
        write = SAMPLES[Phase.WRITE] - START
        for g, gate in enumerate(GATES):
            net.connect("difference", population(gate), Dense(np.repeat(self.onto_gate[:, [g]], cells, axis=1)), delay=write * DT)
        if not len(self):
            return
        net.add(Population("contrast", len(self), ec.PERFECT, CycleReset(GAMMA * DT)))
        net.connect("difference", "contrast", Dense(self.onto_contrast))
        for name, weight in zip(COMPARED, self.phrases[[0, 0, 1]], strict=True):
            net.connect(name, "contrast", Dense(np.concatenate([weight, weight])))
        for g, gate in enumerate(GATES):
            net.connect("contrast", population(gate), Dense(np.repeat(self.out[:, [g]], cells, axis=1)), delay=(write - JUDGE) * DT)

    def stimulus(self, steps: int) -> dict[str, NDArray[np.generic]]:
        """The current of `contrast`, [time]: it is held but for the step at which it judges."""
        current = held(steps)
        current[START + JUDGE] += HOLD
        return {"contrast": current} if len(self) else {}
