"""Which cells of each region belong to a memory, and which memories a cell belongs to."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.holding import Holding

REGIONS = ("ec", "dg", "ca3", "ca1")
Engram = Mapping[str, NDArray[np.int64]]
"""The cells of a memory by region, in the order of their index."""


def engrams_of(circuit: Holding, memories: NDArray[np.int64]) -> list[Engram]:
    """The engrams of memories, [n].

    ec, dg: what fires for the memory's own content, as it was last coded.   ca3: the engram proper (`Holding.engrams`).
    ca1: its index cells, or, in an engram model, the cells that its engram makes fire.
    """
    content = circuit.contents[memories]
    counts, codes = circuit.keys.counts[content], np.sort(circuit.keys.codes[content].astype(np.int64), axis=1)
    own, ca1 = np.sort(circuit.engrams(memories).astype(np.int64), axis=1), circuit.ca1_cells(memories)
    ec = np.concatenate([counts > 0, counts < 0], axis=1)
    return [{"ec": np.flatnonzero(ec[i]), "dg": codes[i], "ca3": own[i], "ca1": ca1[i]} for i in range(len(memories))]


def sizes(circuit: Holding) -> dict[str, int]:
    """How many cells each region has."""
    ca1 = 2 * circuit.spec.ec.dim if circuit.spec.engram else len(circuit.keys)
    return {"ec": 2 * circuit.spec.ec.dim, "dg": circuit.spec.dg.cells, "ca3": circuit.spec.dg.cells, "ca1": ca1}


def memories_of(circuit: Holding, region: str, cell: int) -> NDArray[np.int64]:
    """The living memories whose engrams hold a cell of a region."""
    living = np.flatnonzero(circuit.living)
    content, dim = circuit.contents[living], circuit.spec.ec.dim
    if region == "ec":
        counts = circuit.keys.counts[content, cell % dim]
        return living[counts > 0 if cell < dim else counts < 0]
    if region == "ca1":
        return living[[cell in cells for cells in circuit.ca1_cells(living)]] if len(living) else living
    cells = circuit.keys.codes[content] if region == "dg" else circuit.engrams(living)
    return living[(cells == cell).any(axis=1)]
