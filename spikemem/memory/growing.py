"""Room for more memories: the same model with more cells, to which all that is stored is written anew."""

import warnings

from spikemem._checks import INDEX, Checks
from spikemem.errors import SpecError, StoreError
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.storing import recoded as recoded_by
from spikemem.memory.items import recoded
from spikemem.memory.opening import made_with
from spikemem.memory.recalling import Recalling

OUTGROWN = 1.5
"""Times the memories that its model is made for, from which on a memory says that it has outgrown it."""
check = Checks(StoreError)


class Growing(Recalling):
    """What recalls, and grows with what it holds."""

    _told = False

    def grow(self, expected: int) -> int:
        """Make room for so many memories; returns the cells that CA3 has then.

        DG and CA3 get as many cells as keep CA3's synapses as full as its model has them at its own load (`ModelSpec.for_load`); all codes
        are computed anew from what EC says, and become durable at once, or not at all; recalls wait until then. A smaller
        number makes a smaller circuit, but none for fewer than are stored.   expected: memories, >= those stored.

        Raises StoreError where more are stored, and SpecError where that is beyond what a circuit may have.
        """
        with self._changing():
            stored = len(self._index)
            expected = check.integer(expected, "expected", least=max(1, stored), most=INDEX, mend=f"{stored:,} memories are stored")
            if (made := made_with(self._store)) is None:
                raise StoreError("this memory does not say which model it has, so that it cannot grow")
            made = made.made_for(expected)
            spec = made.spec
            keys, living = self.hippocampus.circuit.keys, self.hippocampus.circuit.contents[self.hippocampus.circuit.living]
            with self._in_step():
                entry = {"model": made.entry()}
                if len(living):
                    fresh = Hippocampus(spec, self._device, self._seed).circuit
                    codes, adaptation = recoded(recoded_by(fresh, keys.counts[living], keys.counts), keys.alive)
                    assert codes is not None
                    self._store.recode(codes, adaptation | entry)
                else:
                    self._store.put(entry)
                self._load()
            self._told = False
            return spec.dg.cells

    def _outgrown(self) -> None:
        """Say once that more is stored than the model is made for."""
        if not self._told and len(self._index) > OUTGROWN * self.spec.load:
            self._told, wanted = True, 2 * len(self._index)
            try:
                self.spec.for_load(wanted)
                mend = f"memory.grow({wanted}), or `spikemem grow`, makes room"
            except SpecError:
                mend = "its model has no larger form; store in a memory of another one"
            told = f"{len(self._index):,} memories in a circuit made for {self.spec.load:,}: recall gets worse; {mend}"
            warnings.warn(told, UserWarning, stacklevel=4)
