"""Opening a memory's file: the settings with which it was made, their checks, and all that is derived from its rows."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import SnapshotError, SpecError, StoreError
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.hippocampus.spec import ModelSpec
from spikemem.memory.embed import Embedder
from spikemem.memory.formats import damaged
from spikemem.memory.index import Index
from spikemem.memory.items import session_array, when_array, words_of
from spikemem.memory.rows import KeyKind, Rows, StoredMemory, has_direction
from spikemem.memory.store import Store


@dataclass(frozen=True)
class Made:
    """The settings with which a file was made: model, name of the embedder, seed; and how long memories live (see `Memory.open`)."""

    spec: ModelSpec
    embedder: str
    seed: int
    lifespan: float = math.inf
    base: tuple[int, int] | None = None
    """Cells and load of the model itself, where the file was made for another load."""

    def made_for(self, expected: int) -> "Made":
        """The same settings, with the model made for so many memories: from its own size, whatever it was made for before."""
        cells, load = self.base or (self.spec.dg.cells, self.spec.load)
        own = self.spec.model_copy(update={"load": load, "dg": self.spec.dg.model_copy(update={"cells": cells})})
        return replace(self, spec=own.for_load(expected), base=(cells, load))

    def entry(self) -> bytes:
        """These settings as an entry of the file."""
        lives: dict[str, object] = {} if math.isinf(self.lifespan) else {"lifespan": self.lifespan}
        lives |= {} if self.base is None else {"base": self.base}
        return json.dumps({"spec": self.spec.model_dump(), "embedder": self.embedder, "seed": self.seed, **lives}).encode()

    def check(
        self,
        model: ModelSpec | None,
        embedder: str | Embedder | None,
        seed: int | None,
        path: str | Path | None,
        expected: int | None = None,
    ) -> None:
        """StoreError where given settings (None: not given) differ from those with which the file was made."""
        if expected is not None and Checks(StoreError).integer(expected, "expected", least=1) > self.spec.load:
            raise StoreError(f"{path} was made for {self.spec.load:,} memories; open it as it is, and give it room by grow({expected})")
        if model is not None and not self._is_of(model.with_dim(self.spec.ec.dim)):
            raise StoreError(f"{path} was made with model {self.spec.name!r}, not with this {model.name!r}; open it without naming a model")
        if seed not in (None, self.seed):
            raise StoreError(f"{path} was made with seed {self.seed}, not {seed}; open it without a seed")
        chosen, own = embedder or self.embedder, self.spec.ec.dim
        name, dim = (chosen, own) if isinstance(chosen, str) else (chosen.name, chosen.dim)
        if name != self.embedder or dim != own:
            raise StoreError(f"{path} was made with embedder {self.embedder!r} ({own} dimensions), not {name!r} ({dim})")

    def _is_of(self, model: ModelSpec) -> bool:
        """Whether this is a model's own spec, or the same made for another load."""
        try:
            return self.spec in [*(own := (model, _earlier(model))), *(each.for_load(self.spec.load) for each in own)]
        except SpecError:
            return False


def _earlier(model: ModelSpec) -> ModelSpec:
    """A model as it was before denials had a gain; a file that was made with it recalls as it did."""
    return model.model_copy(update={"ca1": model.ca1.model_copy(update={"denial": 0.0})})


def made_with(store: Store) -> Made | None:
    """The settings with which a file was made; None where it is new."""
    entry = store.get("model")
    try:
        return None if entry is None else made_of(entry)
    except ValueError as error:
        raise damaged(store.path, f"its model cannot be read ({error})") from error


def made_of(entry: bytes) -> Made:
    """Settings from an entry of a file; ValueError where it holds none."""
    try:
        given = json.loads(entry)
        spec, embedder, seed = (given[key] for key in ("spec", "embedder", "seed"))
        if not isinstance(embedder, str) or isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise TypeError("embedder and seed are no text and number")
        lifespan = Checks(StoreError).number(given.get("lifespan", math.inf), "lifespan", above=0)
        base = given.get("base")
        if base is not None:
            cells, load = (Checks(StoreError).integer(n, "base", least=1) for n in base)
            base = cells, load
        return Made(ModelSpec.model_validate(spec), embedder, seed, lifespan, base)
    except (KeyError, TypeError, ValueError, SpecError, StoreError, RecursionError) as error:
        raise ValueError(f"no model, embedder and seed: {' '.join(str(error).split()):.300}") from error


def derived(store: Store, spec: ModelSpec, device: str, seed: int) -> tuple[Made | None, Index, Hippocampus]:
    """Settings, index and hippocampus of a file, derived from its rows; StoreError where these do not belong together.

    spec: of a file that does not say its own yet.
    """
    with store.reading():
        rows, adaptation, made = store.rows(), store.get("adaptation"), made_with(store)
    spec = spec if made is None else made.spec
    try:
        return made, *derived_from(rows, adaptation, spec, device, seed)
    except ValueError as error:
        raise damaged(store.path, str(error)) from error


def derived_from(rows: Rows, adaptation: bytes | None, spec: ModelSpec, device: str, seed: int) -> tuple[Index, Hippocampus]:
    """The index and the hippocampus of a file's rows and its entry of DG's adaptation; ValueError where these do not belong together."""
    if problem := next(problems(rows, spec), None):
        raise ValueError(problem)
    learned = read_adaptation(adaptation, spec.ec.dim)
    index = Index(rows.memories, rows.occurrences)
    index.word(rows.keys)
    if not rows.memories:
        return index, Hippocampus(spec, device, seed)
    try:
        return index, Hippocampus.of(spec, {**arrays_of(spec, rows, index), **learned}, device, seed)
    except SnapshotError as error:
        raise ValueError(str(error)) from error


def arrays_of(spec: ModelSpec, rows: Rows, index: Index) -> dict[str, NDArray[np.generic]]:
    """The rows of a store as entries of `Hippocampus.arrays`, memories in their order.   index: of these rows.

    Associations of what was superseded are those of what holds now.
    """
    owner = np.array([index.row(k.memory) for k in rows.keys])
    _, first = np.unique(owner, return_index=True)
    links = dict.fromkeys((index.row(index.heir(a)), index.row(index.heir(b))) for a, b in rows.links)
    again = [o for o in rows.occurrences if o.happened is not None]
    return {
        "counts": np.stack([k.counts for k in rows.keys]), "codes": np.stack([k.code for k in rows.keys]), "memory": owner,
        "content": first[owner], "alive": np.ones(len(rows.keys), bool),
        "links": np.array([(a, b) for a, b in links if a != b], np.int64).reshape(-1, 2),
        "cue": np.array([k.kind == KeyKind.CUE for k in rows.keys]),
        "number": np.array([m.id for m in rows.memories], np.int64),
        "session": session_array([m.session for m in rows.memories]), "when": when_array([m.happened for m in rows.memories]),
        "superseded_by": np.array([_superseding(index, m) for m in rows.memories]),
        "until": when_array([m.until for m in rows.memories]),
        "encoded": when_array([m.stored if m.happened is None else m.happened for m in rows.memories]),
        "again": np.array([index.row(o.memory) for o in again], np.int64), "earlier": when_array([o.happened for o in again]),
        **_joined(spec, [k.worded for k in rows.keys]),
    }  # fmt: skip


def _superseding(index: Index, memory: StoredMemory) -> int:
    """The row of what superseded a memory; NONE where it holds, or where that was forgotten."""
    after = memory.superseded_by
    return NONE if memory.current or after is None or after not in index else index.row(after)


def _joined(spec: ModelSpec, texts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The words of all keys, as entries of `Hippocampus.arrays`."""
    of_keys = words_of(spec, texts) or [words("", 1)] * len(texts)
    nothing = words("", 1)
    return {
        "words_ptr": np.cumsum([0, *(len(w.cells) for w in of_keys)]),
        "words_cell": np.concatenate([nothing.cells, *(w.cells for w in of_keys)]),
        "words_spikes": np.concatenate([nothing.spikes, *(w.spikes for w in of_keys)]),
        "words_whole": np.concatenate([nothing.whole, *(w.whole for w in of_keys)]),
    }


def read_adaptation(blob: bytes | None, dim: int) -> dict[str, NDArray[np.generic]]:
    """DG's adaptation from an entry of a store (None: none), as entries of `Hippocampus.arrays`."""
    size = 1 + dim + dim * dim
    flat = np.zeros(size) if blob is None else np.frombuffer(blob, np.float64)
    if len(flat) != size or not np.isfinite(flat).all() or flat[0] < 0:
        raise ValueError(f"DG's adaptation is not {size} finite numbers")
    return {"seen": flat[:1], "mean": flat[1 : dim + 1], "covariance": flat[dim + 1 :].reshape(dim, dim)}


def problems(rows: Rows, spec: ModelSpec) -> Iterator[str]:
    """What is wrong with rows that are whole each: memories without a content, keys of no memory or of another size, cells out of range."""
    there, contents = {m.id for m in rows.memories}, set[int]()
    dim, cells, winners = spec.ec.dim, spec.dg.cells, spec.dg.winners
    for key in rows.keys:
        what = f"a cue of memory {key.memory}"
        if key.memory not in there:
            yield f"{what}, which is not there"
        elif (key.kind is KeyKind.CONTENT) != (key.memory not in contents):
            yield f"memory {key.memory} has no content, or two"
        elif (len(key.vector), len(key.counts), len(key.code)) != (dim, dim, winners):
            yield f"{what} has {len(key.vector)}, {len(key.counts)} and {len(key.code)} cells, not {dim}, {dim} and {winners}"
        elif not has_direction(key.vector, dim) or int(key.code.max(initial=0)) >= cells:
            yield f"{what} has a cell of CA3 beyond {cells}, or a vector that is not finite, or nought"
        contents.add(key.memory)
    if bare := there - contents:
        yield f"memory {min(bare)} has no content"
    for what, named in (("a date", {o.memory for o in rows.occurrences}), ("a link", {i for pair in rows.links for i in pair})):
        if unknown := named - there:
            yield f"{what} of memory {min(unknown)}, which is not there"


def check_gates(hippocampus: Hippocampus, embedder: str) -> None:
    """SpecError where the gates were trained on vectors of another embedder."""
    cells = hippocampus.gates
    if cells is not None and cells.embedder not in (None, embedder):
        raise SpecError(
            f"the gates of model {hippocampus.spec.name!r} learned from vectors of {cells.embedder!r}, not of {embedder!r}; train them "
            "anew with spikemem train gates --embedder, or take a model without gates"
        )


def contents(store: Store, hippocampus: Hippocampus) -> dict[str, object]:
    """Numbers of memories, keys and associations, and how full CA3's synapses are (`Memory.info`)."""
    fast, slow = hippocampus.density()
    keys = "index_cells" if hippocampus.spec.engram is None else "keys"
    return {
        "memories": len(hippocampus), "superseded": len(hippocampus) - int(hippocampus.holds().sum()),
        keys: store.count("keys"), "associations": store.count("links"),
        "fast_density": round(fast, 4), "slow_density": round(slow, 4), "ca3_megabytes": round(hippocampus.ca3_bytes() / 1e6, 1),
    }  # fmt: skip
