"""Opening a memory's file: the settings with which it was made, their checks, and all that is derived from its rows."""

import json
from dataclasses import dataclass
from pathlib import Path

from spikemem.errors import SpecError, StoreError
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.spec import ModelSpec
from spikemem.memory.embed import Embedder
from spikemem.memory.index import Index
from spikemem.memory.items import arrays_of, read_adaptation
from spikemem.memory.store import Store


@dataclass(frozen=True)
class Made:
    """The settings with which a file was made: model, name of the embedder, seed."""

    spec: ModelSpec
    embedder: str
    seed: int

    def entry(self) -> bytes:
        """These settings as an entry of the file."""
        return json.dumps({"spec": self.spec.model_dump(), "embedder": self.embedder, "seed": self.seed}).encode()

    def check(self, model: ModelSpec | None, embedder: str | Embedder | None, seed: int | None, path: str | Path | None) -> None:
        """StoreError where given settings (None: not given) differ from those with which the file was made."""
        if model is not None and model.with_dim(self.spec.ec.dim) != self.spec:
            raise StoreError(f"{path} was made with model {self.spec.name!r}, not with this {model.name!r}; open it without naming a model")
        if seed not in (None, self.seed):
            raise StoreError(f"{path} was made with seed {self.seed}, not {seed}; open it without a seed")
        chosen, own = embedder or self.embedder, self.spec.ec.dim
        name, dim = (chosen, own) if isinstance(chosen, str) else (chosen.name, chosen.dim)
        if name != self.embedder or dim != own:
            raise StoreError(f"{path} was made with embedder {self.embedder!r} ({own} dimensions), not {name!r} ({dim})")


def made_with(store: Store) -> Made | None:
    """The settings with which a file was made; None where it is new."""
    entry = store.get_json("model")
    if entry is None:
        return None
    assert isinstance(entry, dict)
    return Made(ModelSpec.model_validate(entry["spec"]), str(entry["embedder"]), int(entry["seed"]))


def derived(store: Store, spec: ModelSpec, device: str, seed: int) -> tuple[Index, Hippocampus]:
    """The index and the hippocampus of a file, derived from its rows."""
    with store.reading():
        memories, keys, links = store.memories(), store.keys(), store.links()
        adaptation = read_adaptation(store.get("adaptation"), spec.ec.dim)
    index = Index(memories)
    index.word(keys)
    if not memories:
        return index, Hippocampus(spec, device, seed)
    return index, Hippocampus.of(spec, {**arrays_of(spec, memories, keys, links), **adaptation}, device, seed)


def check_gates(hippocampus: Hippocampus, embedder: str) -> None:
    """SpecError where the gates were trained on vectors of another embedder."""
    cells = hippocampus.gates
    if cells is not None and cells.embedder not in (None, embedder):
        raise SpecError(
            f"the gates of model {hippocampus.spec.name!r} learned from vectors of {cells.embedder!r}, not of {embedder!r}; train them "
            "anew with spikemem train gates --embedder, or take a model without gates"
        )


def contents(store: Store, hippocampus: Hippocampus) -> dict[str, object]:
    """Numbers of memories, index cells and associations, and how full CA3's synapses are (`Memory.info`)."""
    fast, slow = hippocampus.density()
    return {
        "memories": len(hippocampus), "index_cells": store.count("keys"), "associations": store.count("links"),
        "fast_density": round(fast, 4), "slow_density": round(slow, 4), "ca3_megabytes": round(hippocampus.ca3_bytes() / 1e6, 1),
    }  # fmt: skip
