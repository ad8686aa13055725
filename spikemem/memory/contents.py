"""What a memory holds: the open file with its index and hippocampus, one lock, and everything that looks without recalling.

    look     many at once     with self._looking(): ...
    change   one alone        with self._changing(): plan, commit, apply

After a failure in between, or where a writer has changed the file of a reader, the next one derives RAM from the disk anew.
"""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from spikemem._checks import Checks
from spikemem.errors import StoreError, TextError, UnknownMemoryError, interruptible
from spikemem.hippocampus.membership import Engram
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.locks import Hold, SharedLock
from spikemem.memory.answers import recorded
from spikemem.memory.embed import Embedder
from spikemem.memory.index import Index
from spikemem.memory.labels import Labels, metadata_entry, scope_entry
from spikemem.memory.opening import contents, derived
from spikemem.memory.results import Decision, Record
from spikemem.memory.store import Store
from spikemem.memory.transfer import exported

Records = list[Record]
Ids = list[int]


class Contents:
    """The contents of a memory. Any number of threads may use one: they look side by side, and change one after the other."""

    def __init__(self, store: Store, spec: ModelSpec, embedder: str | Embedder, seed: int, device: str, lifespan: float = math.inf) -> None:
        self._store, self.spec, self._embedder, self._seed, self._device = store, spec, embedder, seed, device
        self.lifespan = lifespan
        """Memories stored after which one that nothing recalls is silent; infinite where none ages (see `Memory.open`)."""
        self._lock, self._embedding = SharedLock(), SharedLock()
        self._last_session: dict[int, int] = {}  # by memory: the session of the last turn that it took up, where that is not its own
        self._own = threading.local()
        self._stale = False  # whether RAM may differ from the disk
        self._index = Index()
        self._load()

    @interruptible()
    def _load(self) -> None:
        """Derive index and hippocampus from the store."""
        made, self._index, self.hippocampus = derived(self._store, self.spec, self._device, self._seed)
        self.spec, self.lifespan = self.hippocampus.spec, self.lifespan if made is None else made.lifespan
        self._index.live(self.lifespan, self._store.next_id())
        self._stale = False

    def _differs(self) -> bool:
        return self._stale or (self._store.readonly and self._store.changed())

    def _looking(self) -> "_Looking":
        return _Looking(self, self._lock.shared(depth=2))

    def _changing(self) -> "_Changing":
        return _Changing(self, self._lock.alone(depth=2))

    def _in_step(self) -> "_InStep":
        return _InStep(self)

    @property
    def decisions(self) -> list[Decision]:
        """The gates' decision on each text of the last call of this thread that stored some, in a model with gates."""
        decisions: list[Decision] = getattr(self._own, "decisions", [])
        return decisions

    # -- looking -------------------------------------------------------------------------------------------------------------------

    def get(self, i: int) -> Record:
        """All that is stored of a memory; UnknownMemoryError where there is none of this id."""
        with self._looking():
            return self._recorded([self._index[i].id])[0]

    def list(self, *, where: Labels | None = None, scope: Labels | None = None, history: bool = False) -> Records:
        """What is stored, in the order of storing.

        where: metadata that a memory must have.   scope: of user, agent and run those that it must have.
        history: also what was superseded.
        """
        wanted, owner, history = metadata_entry(where), scope_entry(scope), Checks(TextError).flag(history, "history")
        with self._looking():
            of = self._index.matching(owner, wanted)
            rows = [m.id for m in self._index if (of is None or of[self._index.row(m.id)]) and (history or m.current)]
            return self._recorded(rows)

    def history(self, i: int) -> Records:
        """All versions of a memory, the earliest first: what it superseded, and what superseded it."""
        with self._looking():
            return self._recorded(self._index.versions(i))

    def _recorded(self, ids: Sequence[int]) -> Records:
        return recorded(self._index, self._store, self.hippocampus.circuit.associations, ids)

    def __len__(self) -> int:
        with self._looking():
            return len(self._index)

    def __iter__(self) -> Iterator[int]:
        """The ids of all that is stored, in the order of storing."""
        with self._looking():
            return iter([memory.id for memory in self._index])

    def __contains__(self, i: object) -> bool:
        with self._looking():
            return i in self._index

    def __getitem__(self, i: int) -> str:
        """The text of a memory; UnknownMemoryError where there is none."""
        with self._looking():
            return self._index[i].text

    def engram(self, i: int) -> Engram:
        """The cells of a memory by region (see `Hippocampus.engram`); UnknownMemoryError where there is none of this id."""
        with self._looking():
            return self.hippocampus.engram(self._index.row(i))

    def memories_of(self, region: str, cell: int) -> Ids:
        """The ids of the memories whose engrams hold a cell (see `Hippocampus.memories_of`), in the order of storing."""
        with self._looking():
            return [self._index.id_at(row) for row in self.hippocampus.memories_of(region, cell).tolist()]

    def info(self) -> dict[str, object]:
        """Model, embedder, numbers of memories, index cells and associations, and how full CA3's synapses are."""
        with self._looking():
            name = self._embedder if isinstance(self._embedder, str) else self._embedder.name
            return {"model": self.spec.name, "made_for": self.spec.load, "embedder": name, **contents(self._store, self.hippocampus)}

    # -- copies --------------------------------------------------------------------------------------------------------------------

    def backup(self, path: str | Path, *, replace: bool = False) -> Path:
        """Write a copy of the memory's file as it stands now, complete in itself; returns its path.

        replace: whether a file that is there may be replaced.   Raises StoreError where it may not, or where the copy cannot be written.
        """
        target = Checks(StoreError).path(path)
        with self._looking():
            if target.is_symlink() or (target.exists() and not target.is_file()):
                raise StoreError(f"{target} is no file of its own (a link, a device, a folder); give the copy another path")
            if self._store.path is not None and target.exists() and target.samefile(self._store.path):
                raise StoreError(f"{target} is the memory itself; give its backup a path of its own")
            if target.exists() and not replace:
                raise StoreError(f"there is a {target} already; give another path, or replace=True")
            if any(target.with_name(target.name + end).exists() for end in ("-wal", "-shm")):
                raise StoreError(f"{target} has a log beside it ({target.name}-wal or -shm), which would alter the copy; delete it first")
            self._store.copy_to(target)
        return target

    def export(self, *, vectors: bool = False) -> Iterator[Mapping[str, object]]:
        """Everything that is stored, a mapping for each memory that JSON can hold, in the order of storing (see `memory.transfer`).

        vectors: also those of each text, with which `import_` needs no embedder.
        """
        with self._looking():
            return iter(exported(self._store, Checks(TextError).flag(vectors, "vectors")))

    # -- life ----------------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file. What was stored is on disk already."""
        with self._lock.alone():
            self._store.close()

    def _current(self, i: int) -> int:
        """The id of a memory that holds; UnknownMemoryError where it was superseded, or is not there."""
        memory = self._index[i]
        if not memory.current:
            by = "" if memory.superseded_by is None else f" by memory {memory.superseded_by}"
            raise UnknownMemoryError(
                f"memory {memory.id} was superseded{by}; change that one, or let this one hold again with restore({memory.id})"
            )
        return memory.id


class _Held:
    """A hold on a memory's lock, in which RAM equals the disk. Classes, since an interrupt can leave a generator hanging."""

    def __init__(self, of: Contents, hold: Hold) -> None:
        self._of, self._hold = of, hold

    def __exit__(self, *raised: object) -> None:
        self._hold.__exit__(*raised)


class _Looking(_Held):
    """A hold beside others."""

    def __enter__(self) -> None:
        of = self._of
        of._store.check_open()
        while True:
            self._hold.__enter__()
            try:
                if not of._differs():
                    return
            except BaseException:
                self._hold.__exit__()
                raise
            self._hold.__exit__()
            with of._lock.alone():
                if of._differs():
                    of._load()


class _Changing(_Held):
    """A hold alone; RAM equals the disk when it begins, and what fails within it leaves RAM to be derived anew."""

    def __enter__(self) -> None:
        of = self._of
        of._store.check_open()
        self._hold.__enter__()
        try:
            if of._differs():
                of._load()
        except BaseException:
            self._hold.__exit__()
            raise


class _InStep:
    """Around changes of disk and RAM: RAM counts as different until both have been made."""

    def __init__(self, of: Contents) -> None:
        self._of = of

    def __enter__(self) -> None:
        self._of._stale = True

    def __exit__(self, kind: type[BaseException] | None, *raised: object) -> None:
        self._of._stale = kind is not None
