"""Text memory: an embedder, a hippocampus and a durable store."""

import asyncio
import math
import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spikemem._checks import Checks, shown
from spikemem.errors import StoreError, TimeError, UnknownMemoryError
from spikemem.hippocampus.regions.difference import Difference
from spikemem.hippocampus.regions.ec_ctx import NO_SESSION
from spikemem.hippocampus.spec import ModelSpec, load_model
from spikemem.memory.commit import ItemBatch, SessionNumbers, commit, decision
from spikemem.memory.conversation import Turn, TurnLike, sessions_of, turns_after
from spikemem.memory.difference import Differences
from spikemem.memory.embed import Embedder, Progress, embedder_of
from spikemem.memory.growing import Growing
from spikemem.memory.items import Item, items_of, new_memories, recoded
from spikemem.memory.labels import Labels, metadata_entry, scope_entry
from spikemem.memory.opening import Made, check_gates, made_with
from spikemem.memory.results import Decision, Slept
from spikemem.memory.store import Store
from spikemem.memory.texts import check, moment, note_of, seconds, text_of
from spikemem.memory.transfer import Transfer, taken_in

DEFAULT_MODEL = "hippocampus-text"
BLOCK = 256
"""Memories of `store_all` that are made durable together."""


class Memory(Growing, AbstractContextManager["Memory"]):
    """A memory of sentences: stores texts, and recalls them by cues, through a spiking hippocampus.

    Open one with `Memory.open`; close it, or use it in a `with` block. What `store` has returned is on disk, and only `forget` deletes.
    Any number of threads may use one.
    """

    def __init__(
        self, store: Store, spec: ModelSpec, embedder: str | Embedder, seed: int = 0, device: str = "cpu", lifespan: float = math.inf
    ) -> None:
        """Use `Memory.open`.   embedder: where it is a name, the model is loaded when it is first needed."""
        super().__init__(store, spec, embedder, seed, device, lifespan)
        self._differences: Differences | None = None  # made when first needed
        check_gates(self.hippocampus, embedder if isinstance(embedder, str) else embedder.name)

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        model: str | Path | ModelSpec | None = None,
        *,
        embedder: str | Embedder | None = None,
        seed: int | None = None,
        device: str = "cpu",
        readonly: bool = False,
        lifespan: float | None = None,
        expected: int | None = None,
    ) -> "Memory":
        """Open a memory, or make a new one.

        path: a file; None keeps everything in RAM.   model: name, path or spec; by default the file's own, or hippocampus-text.
        embedder: a sentence-transformers name or path, or any `Embedder`; by default the file's own, or the bundled MiniLM.
        seed: of a new memory's wiring, 0 by default.   device: where recordings are simulated.   readonly: recall only, beside a writer;
        what the writer stores, forgets or consolidates is there from the next recall on.
        lifespan: memories stored after which one that nothing recalls falls silent; by default the file's own, or infinite: none does.
        Each recall gives a lifespan more to what it brings, on average, shared by attention. What is silent stays on disk and in `get`,
        `list` and `history`; a cue that is its very text wakes it. A file may be opened with another one.
        expected: memories that a new file is made for; by default those of its model (`ModelSpec.for_load`, `grow`).

        Raises StoreError (foreign, damaged, or made with another model), StoreLockedError, SpecError, MissingExtraError.
        """
        own = Checks(StoreError)
        where = None if path is None or path == ":memory:" else own.path(path)
        seed, readonly, device = None if seed is None else own.seed(seed), own.flag(readonly, "readonly"), own.text(device, "device")
        lives = None if lifespan is None else own.number(lifespan, "lifespan", above=0, unit=" memories")
        given = model if isinstance(model, ModelSpec | None) else load_model(model)
        if not isinstance(embedder, str | None) or where is None or not (readonly or where.exists()):
            embedder = embedder_of(embedder)  # before there is a file
        store = Store(where, readonly)
        try:
            made = made_with(store)
            if made is None:
                fresh = embedder_of(embedder)
                spec = (given or load_model(DEFAULT_MODEL)).with_dim(fresh.dim)
                made = Made(spec, fresh.name, seed or 0, lives or math.inf)
                made = made if expected is None else made.made_for(expected)
                memory = cls(store, made.spec, fresh, made.seed, device, made.lifespan)
                if not store.readonly:
                    store.put({"model": made.entry()})
                return memory
            made.check(given, embedder, seed, path, expected)
            memory = cls(store, made.spec, embedder or made.embedder, made.seed, device, made.lifespan)
            if lives not in (None, made.lifespan):
                memory._live_for(replace(made, lifespan=lives))
            memory._outgrown()
            return memory
        except BaseException:
            store.close(discard=True)
            raise

    # -- storing -------------------------------------------------------------------------------------------------------------------

    def store(
        self,
        text: str,
        cues: Iterable[str] | None = None,
        origin: str | None = None,
        *,
        when: datetime | None = None,
        scope: Labels | None = None,
        metadata: Labels | None = None,
        record: bool = False,
    ) -> int:
        """Store one memory; returns its id.

        In a model with gates (hippocampus-gated) the id is that of the memory which holds the text now, and `decisions` says why. A text
        that contradicts what answers it supersedes that: the old memory is kept, with when it ceased to hold, recalled with `history` or
        `around` an earlier time, and `restore` lets it hold again. One that says the same may become a further wording of it, which keeps
        both dates: a recall gives the one that answered. A text of many pieces is judged by the meaning of its beginning, and by all its
        words.

        text: up to a million characters; one of over 128 words also gets a key for each piece of about that length.
        cues: further texts that should recall it.   origin: a note of where it came from.
        when: when it happened; a time without a zone is taken as UTC.
        scope: whose it is, any of user, agent and run, as texts; what gates do is done among memories of the same scope.
        metadata: a mapping that JSON can hold; both select memories in `recall` and `list`.
        record: simulate every spike of the gates; `decisions[0].recording` holds them.
        """
        given = [] if cues is None else check.listed(cues, "cues", "texts")
        return self.store_all([text], [given], origin, when=[when], scope=scope, metadata=metadata, record=record)[0]

    def store_all(
        self,
        texts: Iterable[str],
        cues: Iterable[Iterable[str]] | None = None,
        origin: str | None = None,
        progress: Progress | None = None,
        *,
        when: datetime | Iterable[datetime | None] | None = None,
        sessions: Iterable[Hashable | None] | None = None,
        scope: Labels | None = None,
        metadata: Labels | Iterable[Labels | None] | None = None,
        record: bool = False,
    ) -> list[int]:
        """Store many memories; returns the ids of those that hold them.

        All texts are checked before the first is stored; blocks of 256 become durable together. In a model with gates each text becomes
        durable by itself, and meets those before it.   scope, record: see `store`.
        when, metadata: one for all, or one for each.   sessions: a label for each, or None; those of one label are neighbours in time, in
        their order. Labels mean nothing beyond the call.   progress: called with the keys done and in all, pieces and cues included.
        """
        items = items_of(texts, cues, when, sessions, scope, metadata)
        return self._store_items(items, origin, progress, record=record)

    def store_conversation(
        self,
        turns: Iterable[TurnLike] | Iterable[Sequence[TurnLike]],
        *,
        after: int | None = None,
        origin: str | None = None,
        scope: Labels | None = None,
        metadata: Labels | None = None,
        progress: Progress | None = None,
    ) -> list[int]:
        """Store the turns of a session, or of a list of sessions, a memory each; returns their ids.

        turns: `Turn`s, mappings with their keys, messages ({"role": ..., "content": ...}), or pairs (speaker, text), the speaker first; or
        lists of these, one a session. The order of turns is that of the conversation, whatever their times say; a turn without a time takes
        that of the turn before it in its session. The text stored is "Speaker: text"; the caption also drives the word cells. Equal turns
        are memories of their own, and each can be recalled; in a model with gates they are one, of the session of the first.
        after: the id of a memory whose session goes on: the turns, no lists of turns, come last in it; a first turn without a time takes
        that of this memory. So a live conversation is stored turn by turn. Without it each call begins a session of its own. Where gates
        found that turn known, the session that goes on is that of its last repetition, until the memory is closed; then that of the memory.
        scope, metadata: of all turns (see `store`).

        Raises TextError or TimeError, naming the turn, before anything is stored; UnknownMemoryError where `after` is unknown or belongs
        to no session.
        """
        where, note = scope_entry(scope), metadata_entry(metadata)
        if after is not None:
            with self._looking():
                session, happened = self._session(after), self._index.happened(after)
            going_on = turns_after(turns, None if happened is None else moment(happened))
            return self._store_items([Item.of_turn(turn, 0, where, note) for turn in going_on], origin, progress, session)
        sessions = [session for session in sessions_of(turns) if session]
        items = [Item.of_turn(turn, i, where, note) for i, session in enumerate(sessions) for turn in session]
        return self._store_items(items, origin, progress)

    def _session(self, i: int) -> int:
        """The number of the session that a turn after this memory belongs to."""
        session = self._last_session.get(i, int(self.hippocampus.circuit.keys.session[self._index.row(i)]))
        if session == NO_SESSION:
            raise UnknownMemoryError(f"memory {i} belongs to no session that could go on; give one of a conversation")
        return session

    def _store_items(
        self, items: list[Item], origin: str | None, progress: Progress | None, first: int | None = None, record: bool = False
    ) -> list[int]:
        """Store items; returns their ids.   first: the number of the items' session 0; a new one by default."""
        note = note_of(origin, "origin")
        self._store.check_open()
        self._own.decisions = []
        total, done, ids = sum(len(item.keys) for item in items), 0, list[int]()
        sessions = SessionNumbers(first, 1 + max((item.session for item in items if item.session is not None), default=-1))

        def report(embedded: int, _: int) -> None:
            if progress is not None:
                progress(done + embedded, total)

        for start in range(0, len(items), BLOCK):
            block = items[start : start + BLOCK]
            ids += self._store_block(block, note, sessions, report, record)
            report(size := sum(len(item.keys) for item in block), size)
            done += size
        return ids

    def _store_block(
        self, items: list[Item], origin: str | None, sessions: "SessionNumbers", progress: Progress, record: bool
    ) -> list[int]:
        """Store items that are embedded together; returns their ids."""
        vectors = self._embedded([key.embedded for item in items for key in item.keys], progress)
        split = np.split(vectors, np.cumsum([len(item.keys) for item in items])[:-1])
        ids, size = list[int](), len(items) if self.spec.gates is None else 1
        while len(ids) < len(items):
            part = slice(len(ids), len(ids) + size)
            with self._changing():
                numbers, following = sessions.numbers(items[part], self._next_session)
                ids += self._store_batch(ItemBatch(items[part], split[part], numbers, origin, following), record)
        self._outgrown()
        return ids

    def _next_session(self) -> int:
        return max(self._store.next_session(), *(n + 1 for n in self._last_session.values()), 0)

    def _store_batch(self, batch: ItemBatch, record: bool) -> list[int]:
        """Store items in one transaction: plan, commit, apply; returns their ids."""
        new, first = new_memories(self.spec, batch.items, batch.vectors, batch.sessions), batch.items[0]
        heard = None if self.spec.gates is None else self.hippocampus.heard(None, self._index.meeting(first.scope, first.speaker))
        plan = self.hippocampus.plan(new, record, heard, partial(self._differ, first.text))
        decided = None if self.spec.gates is None else decision(self._index, plan, first.text)
        with self._in_step():
            ids = commit(self._store, self._index, self.hippocampus, plan, batch)
        if plan.stays:
            self._live_longer({ids[0]: 1.0})
            if batch.sessions[0] is not None:
                self._last_session[ids[0]] = batch.sessions[0]
        self._own.decisions += [] if decided is None else [replace(decided, id=ids[0])]
        return ids

    def _differ(self, text: str, key: int) -> Difference | None:
        """How a text differs from the wording of a key."""
        if self._differences is None:
            self._differences = Differences(self.embedder)
        memory = self._index.id_at(int(self.hippocampus.circuit.keys.owners(np.array([key]))[0]))
        with self._embedding.alone():
            return self._differences(self._index.wording(memory, key), text)

    def update(
        self,
        i: int,
        text: str,
        cues: Iterable[str] | None = None,
        origin: str | None = None,
        *,
        when: datetime | None = None,
        metadata: Labels | None = None,
    ) -> int:
        """Store a new version of a memory; returns its id. The old one is kept (`history`), and no longer holds.

        The new version gets the old one's cues, associations, scope, and metadata, where none are given; that of a turn has its speaker,
        and comes last in its session.   text: without the speaker.
        when: from when on it holds; now by default.

        Raises UnknownMemoryError where the old one is unknown or was superseded, TimeError where `when` lies ahead.
        """
        note, further, happened = note_of(origin, "origin"), [] if cues is None else check.listed(cues, "cues", "texts"), seconds(when)
        if happened is not None and happened > time.time():
            raise TimeError(f"{when} lies ahead, and until then the old version holds; store the new one when it does, or without a date")
        with self._looking():
            speaker = self._index[self._current(i)].speaker
        (item,) = items_of([Turn(text_of(text), speaker or "").line], [further], [when], None)
        given, vectors = metadata_entry(metadata), self._embedded([key.embedded for key in item.keys])
        with self._changing():
            old = self._index[self._current(i)]
            item = replace(item, scope=old.scope, metadata=old.metadata if metadata is None else given, speaker=old.speaker)
            plan = self.hippocampus.plan_version(new_memories(self.spec, [item], [vectors], [old.session]), self._index.row(old.id))
            with self._in_step():
                return commit(self._store, self._index, self.hippocampus, plan, ItemBatch([item], [vectors], [old.session], note, 0))[0]

    def restore(self, i: int) -> None:
        """Let a memory that was superseded hold again, beside what superseded it; associations that it had are its own again."""
        with self._changing():
            memory = self._index[i]
            if memory.current:
                raise UnknownMemoryError(f"memory {memory.id} was not superseded; there is nothing to restore")
            with self._in_step():
                self._store.change(replace(memory, until=None))
                self._load()

    def associate(self, a: int, b: int) -> None:
        """Bind memory a to b: from a, one hop leads to b."""
        self.associate_all([(a, b)])

    def associate_all(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Bind many pairs at once; what was superseded is bound as what holds now in its place."""
        self._store.check_open()
        given = [tuple(check.listed(pair, "a pair", "two memories")) for pair in check.listed(pairs, "pairs", "pairs of memories")]
        if (wrong := next((pair for pair in given if len(pair) != 2), None)) is not None:
            raise UnknownMemoryError(f"an association is a pair of two different memories, not {shown(wrong)}")
        with self._changing():
            ids = [(self._index[a].id, self._index[b].id) for a, b in given]
            if wrong := next((pair for pair in ids if pair[0] == pair[1]), None):
                raise UnknownMemoryError(f"an association is a pair of two different memories, not {shown(wrong)}")
            rows = np.array([[self._index.row(self._index.heir(i)) for i in pair] for pair in ids], np.int64).reshape(-1, 2)
            rows = rows[rows[:, 0] != rows[:, 1]]
            with self._in_step():
                self._store.link(ids)
                if len(rows):
                    self.hippocampus.associate(rows[:, 0], rows[:, 1])

    def forget(self, *ids: int) -> None:
        """Delete memories for good, from the file, too. What they superseded is kept: `history` lists all versions of one.

        Copies of the file, such as backups and what an upgrade leaves beside it, still have them.
        """
        with self._changing():
            gone = [self._index[i].id for i in ids]
            heirs = {i: heir for i in gone if (heir := self._index.heir(i)) != i}
            rows, anew = [self._index.row(i) for i in gone], any(self._index.supersedes(i) for i in gone)
            with self._in_step():
                self._store.remove(gone, heirs, self._index.relinked(set(gone)))
                if anew:  # associations that it had taken over are those of what it superseded again
                    self._load()
                    return
                self.hippocampus.forget(rows)
                self._index.drop(gone)

    delete = forget

    def consolidate(self) -> Slept:
        """Sleep: adapt to all that is stored, write every surviving engram and association anew, and give free space back."""
        with self._changing():
            sleep, alive = self.hippocampus.plan_sleep(), self.hippocampus.circuit.keys.alive
            with self._in_step():
                codes, meta = recoded(sleep, alive)
                if codes is not None:
                    self._store.recode(codes, meta)
                self._load()
            freed, path = self._store.shrink(), self._store.path
            return Slept(len(self._index), freed, 0 if path is None else path.stat().st_size)

    def import_(self, records: Iterable[Mapping[str, Any]], progress: Progress | None = None) -> list[int]:
        """Store everything that `export` gave, beside what is stored already, as it is and past the gates; returns the new ids.

        All of it becomes durable at once, or nothing does.   progress: called with the texts embedded and in all; those that come with
        their vector need not be.   Raises TextError, naming the record, where one is no export.
        """
        transfer = Transfer.of(check.listed(records, "records", "exported memories"), self.spec.ec.dim)
        missing = transfer.missing()
        vectors = transfer.filled(self._embedded(missing, progress) if missing else np.zeros((0, self.spec.ec.dim), np.float32))
        if not transfer.items:
            return []
        with self._changing(), self._in_step():
            ids = taken_in(self._store, self.hippocampus, transfer, vectors, self._next_session())
            self._load()
            return ids

    async def astore(self, text: str, *args: Any, **kwargs: Any) -> int:
        """`store`, in a thread, for programs that run on asyncio; `decisions` are those of the call that was awaited last."""

        def stored() -> tuple[int, list[Decision]]:
            return self.store(text, *args, **kwargs), self.decisions

        i, self._own.decisions = await asyncio.to_thread(stored)
        return i

    def __exit__(self, error: type[BaseException] | None, *raised: object) -> None:
        """Close the file. One that this has made is gone again where an error comes before anything was stored."""
        unused = not (self._stale or len(self._index))
        with self._lock.alone():
            self._store.close(discard=error is not None and unused)
