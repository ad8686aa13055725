"""Files that are written whole or not at all, and read whole where they are not too long."""

import io
import math
import os
import secrets
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import FILE_BYTES


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yields the path of a draft beside `path`, which takes its place once the block has ended without an error.

    At every moment `path` holds what it held before or all that is new, after a crash of the machine as well: the draft is on the disk
    before it is renamed, and the new name before this returns. Any number of threads and processes may write at once; the last one's
    stays. Raises OSError where a file cannot be written.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield draft
        _to_disk(draft, os.O_RDWR)
        draft.replace(path)
        if os.name != "nt":  # where a folder cannot be opened
            _to_disk(path.parent, os.O_RDONLY)
    finally:
        draft.unlink(missing_ok=True)


def text_of(path: Path, most: int, encoding: str = "utf-8") -> str:
    """The text of a file of at most so many bytes. Raises OSError where it cannot be read or is longer, UnicodeDecodeError else."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"it is longer than {most:,} bytes")
    return content.decode(encoding)


DAMAGED = (
    ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError, SyntaxError, MemoryError, tokenize.TokenError, struct.error,
    zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""What reading a file that is damaged, or something else, may raise besides OSError."""


def load_npz(path: Path | BinaryIO, most: int = FILE_BYTES, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file, by name; OSError where they hold more than so many bytes, one of DAMAGED else.

    names: of the arrays that are read; None are all. Nothing is unpickled, and no array is made before the bytes are there that its header
    promises.
    """
    with zipfile.ZipFile(path) as file:  # each member is read whole, so that its CRC is checked before it is parsed
        if (size := sum(member.file_size for member in file.infolist())) > most:
            raise OSError(f"it unfolds to {size:,} bytes, more than {most:,}")
        held = {name.removesuffix(".npy"): name for name in file.namelist()}
        return {name: _array(io.BytesIO(file.read(member))) for name, member in held.items() if names is None or name in names}


def _array(file: io.BytesIO) -> NDArray[Any]:
    """The array of an npy file."""
    form: Any = np.lib.format  # whose functions have no types
    version = form.read_magic(file)
    read = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}[version]
    shape, columns, dtype = read(file)
    data = file.read()
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data) or not dtype.itemsize:
        raise ValueError(f"an array of {dtype} and shape {shape} does not fit its {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if columns else "C").copy()


def _to_disk(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
