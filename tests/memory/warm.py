"""Imported by a server of processes before it forks them: each then begins with the kernels loaded."""

from spikemem import Memory
from tests.fakes import FakeEmbedder

with Memory.open(None, "hippocampus-small", embedder=FakeEmbedder()) as memory:
    memory.store_all(["one", "two"])
    memory.associate(0, 1)
    memory.recall("one")
    memory.consolidate()
