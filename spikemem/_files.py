"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yields the path of a draft beside `path`, which takes its place once the block has ended without an error.

    At every moment `path` holds what it held before or all that is new, after a crash of the machine as well: the draft is on the disk
    before it is renamed, and the new name before this returns. Raises OSError where a file cannot be written.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield draft
        _to_disk(draft, os.O_RDWR)
        draft.replace(path)
        if os.name != "nt":  # where a folder cannot be opened
            _to_disk(path.parent, os.O_RDONLY)
    finally:
        draft.unlink(missing_ok=True)


def _to_disk(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
