"""A cache of embeddings on disk, so that a text is embedded once."""

import hashlib
import io
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem._files import DAMAGED, load_npz, whole
from spikemem.errors import DataError
from spikemem.kernels.locks import SharedLock
from spikemem.memory.embed import Embedder, Progress, embedder_of

FOLDER = Path("results/embeddings")
BLOCK = 512
"""Texts that are embedded before they are written, and so lost where the process is killed."""

check = Checks(DataError)


class CachedEmbedder:
    """An embedder with a cache on disk: vectors by the model's name and the SHA-256 of the text, in files of up to BLOCK vectors.

    A file is written under another name and then renamed, so that a kill at any moment leaves whole files; each carries a checksum.
    A damaged file is embedded anew. Any number of processes may share a folder.

    Raises DataError where the folder or a file in it cannot be read or written.
    """

    def __init__(self, embedder: Embedder, folder: str | Path = FOLDER) -> None:
        embedder = embedder_of(embedder)
        self.name, self.dim = embedder.name, embedder.dim
        self._embedder, self._one = embedder, SharedLock()
        readable = re.sub(r"[^\w.-]+", "_", embedder.name)[-60:]
        self.folder = check.path(folder, "folder") / f"{readable}-{_digest(embedder.name).hex()[:8]}"
        self._row: dict[bytes, int] = {}
        self._vectors = np.zeros((0, self.dim), np.float32)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._load(sorted(self.folder.glob("*.npz")))
        except OSError as error:
            raise DataError(f"the vectors in {self.folder} cannot be read ({error}); give another folder") from error

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """One vector a text, float32, [n, dim].   progress: called with the texts done and the texts in all, of those not in the cache."""
        texts = [check.instance(text, "an item of texts", str, "give texts") for text in check.listed(texts, "texts", "texts")]
        with self._one.alone():
            return self._embed(texts, progress)

    def _embed(self, texts: Sequence[str], progress: Progress | None) -> NDArray[np.float32]:
        keys = [_digest(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._row}
        todo = sorted(new.items(), key=lambda item: len(item[1]))  # texts of one length share a batch without padding
        for start in range(0, len(todo), BLOCK):
            part = todo[start : start + BLOCK]
            vectors = self._embedder.embed([text for _, text in part])
            self._write([key for key, _ in part], vectors)
            if progress is not None:
                progress(start + len(part), len(todo))
        return self._vectors[[self._row[key] for key in keys]]

    def _load(self, files: Sequence[Path]) -> None:
        blocks, read = [], 0
        for file in files:
            content = io.BytesIO(file.read_bytes())
            try:
                block = load_npz(content)
                keys, vectors = block["keys"], block["vectors"]
            except (OSError, *DAMAGED):
                keys, vectors = np.zeros((0, 32), np.uint8), np.zeros((0, 0), np.float32)
            if keys.shape != (len(vectors), 32) or vectors.shape != (len(keys), self.dim) or not np.isfinite(vectors).all():
                file.unlink(missing_ok=True)  # its texts are embedded anew
                continue
            self._row |= {key.tobytes(): read + i for i, key in enumerate(keys)}
            read += len(vectors)
            blocks.append(vectors)
        self._vectors = np.concatenate([self._vectors, *blocks])

    def _write(self, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        file = self.folder / f"{uuid.uuid4().hex}.npz"
        try:
            with whole(file) as draft, draft.open("wb") as stream:
                np.savez(stream, keys=np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 32), vectors=vectors)
        except OSError as error:
            raise DataError(f"vectors cannot be written to {self.folder} ({error}); give another folder") from error
        self._row |= {key: len(self._vectors) + i for i, key in enumerate(keys)}
        self._vectors = np.concatenate([self._vectors, vectors])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
