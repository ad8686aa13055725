"""Saving arrays in a safetensors file with a checksum: nothing is unpickled, and a flipped byte is found."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from spikemem._checks import Checks, shown
from spikemem._files import whole
from spikemem.errors import SnapshotError, SpikememError

check = Checks(SnapshotError)

Arrays = Mapping[str, NDArray[np.generic]]
"""Arrays by name."""
WEIGHTS = "spikemem-weights-1"
"""The `format` entry of files of trained weights."""


def _digest(arrays: Arrays, head: str) -> str:
    sha = hashlib.sha256(head.encode())
    for name in sorted(arrays):
        a = np.asarray(arrays[name], order="C")
        sha.update(f"{name} {a.dtype} {a.shape}".encode())
        sha.update(a.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def save_arrays(path: str | Path, arrays: Arrays, head: Mapping[str, object]) -> Path:
    """Write arrays and a JSON-able head; the file appears whole or not at all. SnapshotError where it cannot be written."""
    path = check.path(path)
    try:
        text = json.dumps(dict(head), sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise SnapshotError(f"what is saved beside arrays must be JSON-able: {error}") from error
    ordered = {name: np.asarray(a, order="C") for name, a in arrays.items()}
    try:
        with whole(path) as draft:
            save_file(ordered, draft, metadata={"head": text, "sha256": _digest(ordered, text)})
    except (OSError, SafetensorError) as error:
        raise SnapshotError(f"{path} cannot be written: {error}") from error
    return path


def load_arrays(path: str | Path, form: str) -> tuple[dict[str, NDArray[np.generic]], dict[str, object]]:
    """Read the arrays and the head that `save_arrays` wrote with head["format"] == form.

    Raises SnapshotError where the file is missing, truncated, altered, or something else.
    """
    path = check.path(path)
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        text = metadata["head"]
        if _digest(arrays, text) != metadata["sha256"]:
            raise SnapshotError(f"{path} has been altered: its checksum does not match; restore it from a backup, or build it anew")
        head = json.loads(text)
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error}") from error
    except (SafetensorError, AttributeError, KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise SnapshotError(f"{path} is no spikemem snapshot, or is truncated or altered: {error}") from error
    if not isinstance(head, dict) or head.get("format") != form:
        found = head.get("format") if isinstance(head, dict) else head
        raise SnapshotError(f"{path} has format {shown(found)}, not {form!r}")
    return arrays, head


@contextmanager
def contents(path: str | Path, what: str) -> Iterator[None]:
    """SnapshotError where a file of the right format holds something that its reader cannot use.   what: it should hold."""
    try:
        yield
    except (SpikememError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError) as error:
        if isinstance(error, SnapshotError) and str(path) in str(error):
            raise
        cause = f"{type(error).__name__}: {error}" if not isinstance(error, SpikememError) else str(error)
        raise SnapshotError(f"{path} holds no {what} that can be used ({cause}); take another file, or build it anew") from error
