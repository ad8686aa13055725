"""A memory's file: opening it, its one writer, transactions, and what makes sure that it is still the file that was opened.

A file is known by its device and inode, whatever its names: one process at a time holds the writer's lock on that inode, which the system
releases even after a kill, and before each transaction the path is looked up again. The database is in WAL mode and flushed at each commit.

POSIX locks, which SQLite uses, are lost when a process closes any descriptor of the file; so a descriptor of ours stays open as long as
this process has a connection to that inode.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from spikemem._files import whole
from spikemem.errors import StoreError, StoreLockedError
from spikemem.memory.formats import APPLICATION, LARGEST, SCHEMA, VERSION, check_tables, damaged

try:
    import fcntl
except ImportError:  # where there is none, a lock file beside the database takes its place
    fcntl = None  # type: ignore[assignment]

Inode = tuple[int, int]
PRIVATE = 0o600
"""The mode of a new file: its owner reads and writes it, nobody else."""


class _Open:
    """The inodes that this process has connections to, with the descriptors that must not be closed before these."""

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self.connections: dict[Inode, int] = {}
        self.descriptors: dict[Inode, int] = {}
        self.writers: set[Inode] = set()

    def enter(self, inode: Inode) -> None:
        with self.guard:
            self.connections[inode] = self.connections.get(inode, 0) + 1

    def leave(self, inode: Inode, writer: bool) -> None:
        with self.guard:
            if writer:
                self.writers.discard(inode)
                if inode in self.descriptors:
                    fcntl.flock(self.descriptors[inode], fcntl.LOCK_UN)
            self.connections[inode] -= 1
            if not self.connections[inode]:
                del self.connections[inode]
                if inode in self.descriptors:
                    os.close(self.descriptors.pop(inode))

    def lock(self, inode: Inode, path: Path) -> None:
        """Become the writer of an inode that is entered; StoreLockedError where another one is, here or in another process."""
        with self.guard:
            if inode in self.writers:
                raise StoreLockedError(f"{path} is open for writing in this process already; use that memory, or open with readonly=True")
            if inode not in self.descriptors:
                self.descriptors[inode] = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(self.descriptors[inode], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StoreLockedError(f"{path} is being written by another process; close that one, or open with readonly=True") from error
            self.writers.add(inode)

    def forget_all(self) -> None:
        """In a forked child: the connections and the lock are its parent's."""
        self.guard = threading.RLock()
        for descriptor in self.descriptors.values():
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self.connections, self.descriptors, self.writers = {}, {}, set()


_OPEN = _Open()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_OPEN.forget_all)


class DatabaseFile:
    """An open database.   path: the file; None, or ":memory:", for one in RAM.   readonly: without the writer's lock."""

    def __init__(self, path: str | Path | None, readonly: bool = False) -> None:
        self.path = None if path is None or str(path) == ":memory:" else Path(path).absolute()
        self.readonly = readonly
        self._closed, self._process = False, os.getpid()
        self._guard = threading.RLock()  # one thread at a time uses the connection
        self._inode: Inode | None = None
        self._locked = self._made = False  # whether this has the writer's lock of the inode, and whether it made the file
        self._beside: sqlite3.Connection | None = None  # the writer's lock, where the system has no other
        self._immutable: tuple[int, int] | None = None
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            if self.path is not None:
                self._open()
            self._prepare()
        except BaseException as error:
            self.close(discard=True)
            if isinstance(error, sqlite3.Error | OSError):
                raise self._refusal(error) from error
            raise

    def _refusal(self, error: Exception) -> StoreError:
        if isinstance(error, OSError | sqlite3.OperationalError):
            return (StoreLockedError if "locked" in str(error) else StoreError)(f"{self.path} cannot be opened: {error}")
        return StoreError(f"{self.path} is no spikemem database, or is damaged: {error}")

    # -- opening -------------------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        assert self.path is not None
        path = self.path
        if path.is_dir() or not path.parent.is_dir():
            raise StoreError(f"{path} cannot be a database: {'it is a folder' if path.is_dir() else 'its folder is missing'}")
        if self.readonly and not path.is_file():
            raise StoreError(f"there is no {path}; store something first")
        made = not self.readonly and _make(path)
        if not path.is_file():
            raise StoreError(f"{path} is no file; give spikemem a file of its own")
        if path.stat().st_nlink > 1:
            raise StoreError(
                f"{path} is one of several names (hard links) of a file, and what was stored last may lie in a log beside another one; "
                "keep one name, that which has a -wal beside it if any does, and delete the others"
            )
        _OPEN.enter(inode := _inode(path))
        self._inode = inode
        if not self.readonly:
            self._beside = _lock_beside(path.resolve()) if fcntl is None else None
            if fcntl is not None:
                _OPEN.lock(inode, path)
                self._locked = True
        self._made = made
        self._db.close()
        self._db = self._connect(path.resolve())
        self.check_same()

    def _connect(self, path: Path) -> sqlite3.Connection:
        if not self.readonly:
            return sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db = _reader(path, "mode=ro")
        try:
            db.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            log = path.with_name(f"{path.name}-wal")
            if os.access(path.parent, os.W_OK) or (log.exists() and log.stat().st_size):
                db.close()
                raise
            db.close()  # a reader makes a file beside the database, which it cannot here
            db, self._immutable = _reader(path, "immutable=1"), _state(path)
        return db

    def _prepare(self) -> None:
        """Make a new database, or see that the file is one of ours and whole."""
        db = self._db
        if hasattr(db, "setlimit"):
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "secure_delete = ON"):
            db.execute(f"PRAGMA {pragma}")
        application = db.execute("PRAGMA application_id").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != APPLICATION and tables:
            raise StoreError(f"{self.path} is a database of another program; give spikemem a file of its own")
        if application != APPLICATION and self.readonly and self.path is not None:
            raise StoreError(f"{self.path} is empty; store something first")
        if application == APPLICATION:
            version = self.format()
            if not 1 <= version <= VERSION:
                raise StoreError(f"{self.path} has format {version}, this spikemem reads 1 to {VERSION}; use the version that wrote it")
            problem = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if problem != "ok":
                raise damaged(self.path, problem)
            check_tables(db, version, self.path)
        if not self.readonly:
            if application != APPLICATION:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        if application != APPLICATION:
            made = "; ".join(SCHEMA)
            db.executescript(f"BEGIN; {made}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;")

    def format(self) -> int:
        """The format of the file now: while a reader has it open, a writer may upgrade it."""
        return int(self.select("PRAGMA user_version")[0][0])

    # -- use -----------------------------------------------------------------------------------------------------------------------

    def check_open(self) -> None:
        """StoreError where the file has been closed."""
        if self._closed:
            raise StoreError(f"{self.path or 'this memory'} is closed; open it again")

    def check_own(self) -> None:
        """StoreError where the file has been closed, or was opened by a process of which this is a fork: SQLite serves one process."""
        self.check_open()
        if os.getpid() != self._process:
            raise StoreError(
                f"{self.path or 'this memory'} was opened by process {self._process}, of which this is a fork: it recalls what was there, "
                "and no more; open a memory in this process to store"
            )

    def check_same(self) -> None:
        """StoreError where the path no longer leads to the file that was opened."""
        if self.path is None:
            return
        try:
            same = _inode(self.path) == self._inode
        except OSError:
            same = False
        if not same:
            raise StoreError(
                f"{self.path} was moved, deleted or replaced while it was open; what was stored before is in the file that was opened, and "
                "complete there once this memory is closed: close it, put the file in its place, and open it again"
            )

    def select(self, query: str, *values: object) -> list[Any]:
        """The rows of a query; StoreError where the file cannot give them."""
        self.check_own()
        try:
            with self._guard:
                return self._db.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
            if "locked" in str(error):
                raise StoreLockedError(f"{self.path} is locked by another process: {error}") from error
            raise damaged(self.path, str(error)) from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A read transaction: all that is read within it is of one moment, whatever a writer does meanwhile."""
        self.check_own()
        self.check_same()
        with self._guard:
            try:
                if self._db.in_transaction:  # one whose end an interrupt came before
                    self._db.execute("ROLLBACK")
                self._db.execute("BEGIN")
                state = self._state()
            except sqlite3.Error as error:
                raise StoreError(f"{self.path} cannot be read: {error}") from error
            try:
                yield
                self._seen = state
            finally:
                if self._db.in_transaction:
                    self._db.execute("COMMIT")

    def changed(self) -> bool:
        """Whether another process has written since the last `reading`; False once closed."""
        if self._closed:
            return False
        self.check_same()
        return bool(self._state() != self._seen)

    def _state(self) -> object:
        if self._immutable is not None and self.path is not None:
            return _state(self.path)
        return self.select("PRAGMA data_version")[0][0]

    def transaction(self) -> "_Transaction":
        """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK where anything is raised; a context that gives the connection."""
        self.check_own()
        if self.readonly:
            raise StoreError(f"{self.path} was opened for reading; open it without readonly=True to change it")
        return _Transaction(self, self._db, self._guard)

    def scrub(self) -> None:
        """Let nothing that was deleted stay in the log beside the file, if no reader is at it."""
        if self.path is not None:
            self.select("PRAGMA wal_checkpoint(TRUNCATE)")

    def shrink(self) -> int:
        """Give the space of what was deleted back to the system; returns the bytes that were freed."""
        if self.path is None:
            return 0
        self.scrub()
        before = self.path.stat().st_size
        if self.select("PRAGMA auto_vacuum")[0][0] != 2:  # made by an earlier version
            self.select("PRAGMA auto_vacuum = INCREMENTAL")
            self.select("VACUUM")
        with self._guard:
            self._db.executescript("PRAGMA incremental_vacuum")  # a script, since a single statement is run for one page alone
        self.scrub()
        return max(before - self.path.stat().st_size, 0)

    def copy_to(self, path: Path) -> None:
        """Write a copy of the database as it stands into a new file, without a log; all or nothing."""
        self.check_own()
        try:
            with whole(path) as draft, self._guard:
                _make(draft)
                self._db.execute("VACUUM INTO ?", (str(draft),))
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path} cannot be written: {error}") from error

    def close(self, discard: bool = False) -> None:
        """Close the file, and let go of the writer's lock.   discard: delete the file first, where this has made it."""
        if self._closed:
            return
        self._closed = True
        if os.getpid() != self._process:
            return  # the connection is another process's
        with self._guard:
            self._db.close()
            if self._beside is not None:
                self._beside.close()
            if discard and self._made and self.path is not None:
                self._delete(self.path)
            if self._inode is not None:
                _OPEN.leave(self._inode, self._locked)

    def _delete(self, path: Path) -> None:
        """Delete the file, unless another one has taken its place, and its lock beside it."""
        with contextlib.suppress(StoreError, OSError):
            self.check_same()
            path.unlink()
            if self._beside is not None:
                path.with_name(f"{path.name}.lock").unlink()


class _Transaction:
    """See `DatabaseFile.transaction`. A class, since an interrupt can leave a generator hanging between its lock and its caller."""

    def __init__(self, file: DatabaseFile, db: sqlite3.Connection, guard: threading.RLock) -> None:
        self._file, self._db, self._guard = file, db, guard

    def __enter__(self) -> sqlite3.Connection:
        self._guard.acquire()
        try:
            self._undo()
            self._file.check_same()
            self._db.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._leave(error)
            raise
        return self._db

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self._file.check_same()
                self._db.execute("COMMIT")
        except BaseException as failure:
            self._leave(failure)
            raise
        self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        """Undo what was not committed; a StoreError in the place of SQLite's."""
        try:
            self._undo()
        finally:
            self._guard.release()
        if isinstance(error, sqlite3.Error):
            raise StoreError(f"{self._file.path} could not be written, nothing was changed: {error}") from error

    def _undo(self) -> None:
        if self._db.in_transaction:  # on a full disk SQLite has rolled back by itself
            self._db.execute("ROLLBACK")


def _make(path: Path) -> bool:
    """Make an empty file that is its owner's alone; whether there was none."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))
    except FileExistsError:
        return False
    return True


def _reader(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, isolation_level=None, check_same_thread=False)


def _inode(path: Path) -> Inode:
    state = path.stat()
    return state.st_dev, state.st_ino


def _state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size


def _lock_beside(path: Path) -> sqlite3.Connection:
    """The writer's lock as a file beside the database: a transaction that lasts as long as this has the database open."""
    lock = sqlite3.connect(f"{path}.lock", timeout=0.2, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if "locked" in str(error):
            raise StoreLockedError(f"{path} is being written by another memory; close that one, or open with readonly=True") from error
        raise StoreError(f"{path}.lock cannot be a lock ({error}); delete it where no other process has {path} open") from error
    return lock
