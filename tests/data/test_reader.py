"""A memory that is read beside a writer."""

import numpy as np
import pytest

from spikemem.errors import StoreError
from tests.conftest import Open
from tests.memory.test_memory import TEXTS


def test_a_reader_follows_the_writer(open_memory: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_memory()
    writer.store_all(TEXTS[:5])
    reader, other = open_memory(readonly=True), open_memory(readonly=True)
    writer.forget(3)
    assert 3 not in {hit.id for hit in reader.recall(TEXTS[3], top_k=5)}
    i = writer.store(TEXTS[5])
    assert (reader.recall(TEXTS[5])[0].id, len(reader), reader[i], 3 in reader) == (i, 5, TEXTS[5], False)
    writer.associate(i, 0)
    assert [hit.id for hit in reader.recall_chain(TEXTS[5])] == [0]
    writer.consolidate()
    assert len(reader) == 5
    np.testing.assert_array_equal(reader.hippocampus.arrays()["codes"][0], writer.hippocampus.arrays()["codes"][0])
    assert other.info()["memories"] == 5
    monkeypatch.setattr(other, "_load", lambda: pytest.fail("nothing has changed"))
    assert other.recall(TEXTS[5])[0].id == i
    writer.forget(i)
    other.close()
    with pytest.raises(StoreError, match="closed"):
        len(other)


def test_a_reader_outlives_the_writer(open_memory: Open) -> None:
    open_memory().close()
    reader = open_memory(readonly=True)
    assert len(reader) == 0
    for text in TEXTS[:2]:
        writer = open_memory()
        i = writer.store(text)
        writer.close()
        assert reader.recall(text)[0].id == i
