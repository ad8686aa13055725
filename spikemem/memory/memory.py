"""Text memory: an embedder, a hippocampus and a durable store."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from spikemem.errors import UnknownMemoryError
from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.difference import Difference
from spikemem.hippocampus.regions.ec_ctx import NO_SESSION
from spikemem.hippocampus.spec import ModelSpec, load_model
from spikemem.hippocampus.storing import holders
from spikemem.memory.answers import answers, hit
from spikemem.memory.commit import ItemBatch, commit, decision
from spikemem.memory.conversation import TurnLike, sessions_of, turns_after
from spikemem.memory.difference import Differences
from spikemem.memory.embed import DEFAULT, Embedder, Progress, SentenceEmbedder, embedded
from spikemem.memory.items import Item, adaptation_entry, items_of, new_memories, words_of
from spikemem.memory.opening import Made, check_gates, contents, derived, made_with
from spikemem.memory.results import Decision, Hit, Hits
from spikemem.memory.store import Store
from spikemem.memory.texts import check_text, moment, seconds

DEFAULT_MODEL = "hippocampus-text"
BLOCK = 256
"""Memories of `store_all` that are made durable together."""


class Memory(AbstractContextManager["Memory"]):
    """A memory of sentences: stores texts, and recalls them by cues, through a spiking hippocampus.

    Open one with `Memory.open`; close it, or use it in a `with` block. What `store` has returned is on disk.
    """

    def __init__(self, store: Store, spec: ModelSpec, embedder: str | Embedder, seed: int = 0, device: str = "cpu") -> None:
        """Use `Memory.open`.   embedder: where it is a name, the model is loaded when it is first needed."""
        self._store, self.spec, self._embedder, self._seed, self._device = store, spec, embedder, seed, device
        self._last_session: dict[int, int] = {}  # by memory: the session of the last turn that it took up, where that is not its own
        self.decisions: list[Decision] = []
        """The gates' decision on each text of the last call that stored some, in a model with gates."""
        self._differences: Differences | None = None  # made when first needed
        self._load()
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
    ) -> "Memory":
        """Open a memory, or make a new one.

        path: a file; None keeps everything in RAM.   model: name, path or spec; by default the file's own, or hippocampus-text.
        embedder: a sentence-transformers name or path, or any `Embedder`; by default the file's own, or the bundled MiniLM.
        seed: of a new memory's wiring, 0 by default.   device: where recordings are simulated.   readonly: recall only, beside a writer;
        what the writer stores, forgets or consolidates is there from the next recall on.

        Raises StoreError (foreign, damaged, or made with another model), StoreLockedError, SpecError, MissingExtraError.
        """
        given = model if isinstance(model, ModelSpec | None) else load_model(model)
        store = Store(path, readonly)
        try:
            made = made_with(store)
            if made is None:
                fresh = SentenceEmbedder(embedder or DEFAULT) if embedder is None or isinstance(embedder, str) else embedder
                spec = (given or load_model(DEFAULT_MODEL)).with_dim(fresh.dim)
                memory = cls(store, spec, fresh, seed or 0, device)
                if not store.readonly:
                    store.add([], [], meta={"model": Made(spec, fresh.name, seed or 0).entry()})
                return memory
            made.check(given, embedder, seed, path)
            return cls(store, made.spec, embedder or made.embedder, made.seed, device)
        except BaseException:
            store.close()
            raise

    @property
    def embedder(self) -> Embedder:
        """The embedder, which makes vectors of texts; loaded when it is first needed."""
        if isinstance(self._embedder, str):
            self._embedder = SentenceEmbedder(self._embedder)
        return self._embedder

    def _load(self) -> None:
        """Derive index and hippocampus from the store."""
        self._index, self.hippocampus = derived(self._store, self.spec, self._device, self._seed)
        self._stale = False

    def _follow(self) -> None:
        """Load anew where RAM may differ from the disk: after a failure, or, in a reader, after a writer has changed the file."""
        if self._stale or (self._store.readonly and self._store.changed()):
            self._load()

    # -- storing -------------------------------------------------------------------------------------------------------------------

    def store(
        self,
        text: str,
        cues: Sequence[str] | None = None,
        origin: str | None = None,
        *,
        when: datetime | None = None,
        record: bool = False,
    ) -> int:
        """Store one memory; returns its id.

        In a model with gates (hippocampus-gated) the id is that of the memory which holds the text now, and `decisions` says why, and what
        was forgotten: a text that differs by a day, a number, a place, a colour or a "not" may overwrite one, which is deleted, though both
        may be true ("We played tennis on Saturday.", "... on Sunday."), unless it has a date, and that one none, or a later one. One that
        says the same may become a further wording of it: a recall gives the one that answered. A text of many pieces is judged by the
        meaning of its beginning, and by all its words.

        text: up to a million characters; one of over 128 words also gets a key for each piece of about that length.
        cues: further texts that should recall it.   origin: a note of where it came from.
        when: when it happened; a time without a zone is taken as UTC.
        record: simulate every spike of the gates; `decisions[0].recording` holds them.
        """
        return self.store_all([text], [cues or []], origin, when=[when], record=record)[0]

    def store_all(
        self,
        texts: Sequence[str],
        cues: Sequence[Sequence[str]] | None = None,
        origin: str | None = None,
        progress: Progress | None = None,
        *,
        when: datetime | Sequence[datetime | None] | None = None,
        sessions: Sequence[Hashable | None] | None = None,
        record: bool = False,
    ) -> list[int]:
        """Store many memories; returns their ids: where gates let a later text of the call overwrite one, the id of that text.

        All texts are checked before the first is stored; blocks of 256 become durable together. In a model with gates each text becomes
        durable by itself, and meets those before it.   record: see `store`.
        when: one time for all, or one for each.   sessions: a label for each, or None; those of one label are neighbours in time, in
        their order. Labels mean nothing beyond the call.   progress: called with the keys done and in all, pieces and cues included.
        """
        items = items_of(texts, cues, when, sessions)
        return self._store_items(items, origin, progress, record=record)

    def store_conversation(
        self,
        turns: Iterable[TurnLike] | Iterable[Sequence[TurnLike]],
        *,
        after: int | None = None,
        origin: str | None = None,
        progress: Progress | None = None,
    ) -> list[int]:
        """Store the turns of a session, or of a list of sessions, a memory each; returns their ids.

        turns: `Turn`s, mappings with their keys, or pairs (speaker, text), the speaker first; or lists of these, one a session. The order
        of turns is that of the conversation, whatever their times say; a turn without a time takes that of the turn before it in its
        session. The text stored is "Speaker: text"; the caption also drives the word cells. Equal turns are memories of their own, and each
        can be recalled; in a model with gates they are one, of the session of the first.
        after: the id of a memory whose session goes on: the turns, no lists of turns, come last in it; a first turn without a time takes
        that of this memory. So a live conversation is stored turn by turn. Without it each call begins a session of its own. Where gates
        found that turn known, the session that goes on is that of its last repetition, until the memory is closed; then that of the memory.

        Raises TextError or TimeError, naming the turn, before anything is stored; UnknownMemoryError where `after` is unknown or belongs
        to no session.
        """
        if after is not None:
            session, happened = self._session(after), self._index[after].happened
            going_on = turns_after(turns, None if happened is None else moment(happened))
            return self._store_items([Item.of_turn(turn, 0) for turn in going_on], origin, progress, session)
        sessions = [session for session in sessions_of(turns) if session]
        return self._store_items([Item.of_turn(turn, i) for i, session in enumerate(sessions) for turn in session], origin, progress)

    def _session(self, i: int) -> int:
        """The number of the session that a turn after this memory belongs to."""
        session = self._last_session.get(i, int(self.hippocampus.circuit.ca1.session[self._index.row(i)]))
        if session == NO_SESSION:
            raise UnknownMemoryError(f"memory {i} belongs to no session that could go on; give one of a conversation")
        return session

    def _store_items(
        self, items: list[Item], origin: str | None, progress: Progress | None, first: int | None = None, record: bool = False
    ) -> list[int]:
        """Store items; returns their ids.   first: the number of the items' session 0; a new one by default."""
        if origin is not None:
            check_text(origin)
        self._store.check_open()
        self._follow()
        self.decisions = []
        total, done, ids = sum(len(item.keys) for item in items), 0, list[int]()
        session = max(self._store.next_session(), *(n + 1 for n in self._last_session.values()), 0) if first is None else first

        def report(embedded: int, _: int) -> None:
            if progress is not None:
                progress(done + embedded, total)

        for start in range(0, len(items), BLOCK):
            block = items[start : start + BLOCK]
            ids += self._store_block(block, origin, session, report, record)
            report(size := sum(len(item.keys) for item in block), size)
            done += size
        return holders(ids, {decision.old: decision.id for decision in self.decisions if decision.old is not None and decision.forgotten})

    def _store_block(self, items: list[Item], origin: str | None, session: int, progress: Progress, record: bool) -> list[int]:
        """Store items that are embedded together; returns their ids.   session: the number of the items' session 0."""
        vectors = embedded(self.embedder, [key.embedded for item in items for key in item.keys], self.spec.ec.dim, progress)
        split = np.split(vectors, np.cumsum([len(item.keys) for item in items])[:-1])
        ids, size = list[int](), len(items) if self.spec.gates is None else 1
        while len(ids) < len(items):
            part = slice(len(ids), len(ids) + size)
            numbers = [None if item.session is None else session + item.session for item in items[part]]
            ids += self._store_batch(ItemBatch(items[part], split[part], numbers, origin), record)
        return ids

    def _store_batch(self, batch: ItemBatch, record: bool) -> list[int]:
        """Store items in one transaction: plan, commit, apply; returns their ids."""
        new = new_memories(self.spec, batch.items, batch.vectors, batch.sessions)
        plan = self.hippocampus.plan(new, record, partial(self._differ, batch.items[0].text))
        decided = None if self.spec.gates is None else decision(self._store, self._index, plan, batch.items[0].text)
        with self._in_step():
            ids = commit(self._store, self._index, self.hippocampus, plan, batch)
        if plan.stays and batch.sessions[0] is not None:
            self._last_session[ids[0]] = batch.sessions[0]
        self.decisions += [] if decided is None else [replace(decided, id=ids[0])]
        return ids

    def _differ(self, text: str, key: int) -> Difference | None:
        """How a text differs from the wording of a key."""
        if self._differences is None:
            self._differences = Differences(self.embedder)
        memory = self._index.id_at(int(self.hippocampus.circuit.ca1.owners(np.array([key]))[0]))
        return self._differences(self._index.wording(memory, key), text)

    @contextmanager
    def _in_step(self) -> Iterator[None]:
        """Around changes of disk and RAM: after a failure in between, RAM is derived from the disk anew."""
        try:
            yield
        except BaseException:
            self._stale = True
            raise

    def associate(self, a: int, b: int) -> None:
        """Bind memory a to b: from a, one hop leads to b."""
        self.associate_all([(a, b)])

    def associate_all(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Bind many pairs at once."""
        self._follow()
        rows = np.array([[self._index.row(a), self._index.row(b)] for a, b in pairs], np.int64).reshape(-1, 2)
        with self._in_step():
            self._store.link([(int(a), int(b)) for a, b in pairs])
            if len(rows):
                self.hippocampus.associate(rows[:, 0], rows[:, 1])

    def forget(self, *ids: int) -> None:
        """Delete memories for good."""
        self._follow()
        rows = [self._index.row(i) for i in ids]
        with self._in_step():
            self._store.remove([int(i) for i in ids])
            self.hippocampus.forget(rows)
            self._index.drop(ids)

    def consolidate(self) -> None:
        """Sleep: adapt to all that is stored, and write every surviving engram and association anew."""
        self._follow()
        sleep, alive = self.hippocampus.plan_sleep(), self.hippocampus.circuit.ca1.alive
        with self._in_step():
            if sleep is not None:
                self._store.recode(sleep.codes[alive], adaptation_entry(sleep.adaptation))
            self._load()

    # -- recalling -----------------------------------------------------------------------------------------------------------------

    def recall(self, cue: str, top_k: int = 3, record: bool = False, *, around: datetime | None = None, cycles: int = 2) -> Hits:
        """The memories that a cue brings back, best first.

        In a model with gates (hippocampus-gated) none, where the read gate stays shut: the memory holds no answer to the cue.
        `hits.read` is the share of the gate's cells that fired, `hits.withheld` the memories that came nearest.

        record: simulate every spike; `hits.recording` holds them, and `hits.gates` those of the gates.
        around: a time that the memories are near, in UTC where it has no zone. It counts beside meaning and words and excludes nothing: a
        memory of that very moment gains as much as the model's `ca1.time`, the share of a meaning that is the cue's own; one farther away
        gains less, one of over a year away, or without a time, nothing.
        cycles: theta cycles; from the second on, what was recalled primes what is associated with it: its successors (`associate`), and
        memories whose further cues (titles, say) its words name. Where none are stored, more cycles change nothing.
        """
        return self.recall_all([cue], top_k, record, around=around, cycles=cycles)[0]

    def recall_all(
        self,
        cues: Sequence[str],
        top_k: int = 3,
        record: bool = False,
        progress: Progress | None = None,
        *,
        around: datetime | None = None,
        cycles: int = 2,
    ) -> list[Hits]:
        """`recall` for many cues in one batch; a recording is that of the whole batch."""
        self._store.check_open()
        for cue in cues:
            check_text(cue)
        near, words = seconds(around), words_of(self.spec, cues)
        if not cues:
            return []
        self._follow()
        vectors = embedded(self.embedder, cues, self.spec.ec.dim, progress)
        found = self.hippocampus.recall(vectors, top_k, words=words, around=near, cycles=cycles, record=record)
        return answers(found, PATHWAYS, self._index)

    def recall_chain(self, cue: str, hops: int = 1) -> list[Hit]:
        """The memories that follow the one that the cue recalls, one a hop; shorter where the chain ends.

        Where a memory has no successor (`associate`) the chain goes on by spreading: to the best match of the cue, not yet visited, among
        the memories whose further cues are named by the words of those visited; it ends where there are none.
        A hit's score is its likeness to the cue, which is no measure of the hop. In a model with gates there are none where the read gate
        stays shut, as in `recall`.
        """
        self._store.check_open()
        check_text(cue)
        self._follow()
        vector, words = embedded(self.embedder, [cue], self.spec.ec.dim), words_of(self.spec, [cue])
        if not self.hippocampus.reads(vector, words)[0]:
            return []
        ids = self.hippocampus.recall_chain(vector, hops, words=words)[0]
        scores = self.hippocampus.contents(ids[ids != NONE]) @ (vector[0] / np.linalg.norm(vector[0]))
        return [hit(self._index, i, float(score)) for i, score in zip(ids[ids != NONE], scores, strict=True)]

    def __len__(self) -> int:
        self._follow()
        return len(self._index)

    def __contains__(self, i: int) -> bool:
        self._follow()
        return i in self._index

    def __getitem__(self, i: int) -> str:
        """The text of a memory; UnknownMemoryError where there is none."""
        self._follow()
        return self._index[i].text

    def info(self) -> dict[str, object]:
        """Model, embedder, numbers of memories, index cells and associations, and how full CA3's synapses are."""
        self._follow()
        name = self._embedder if isinstance(self._embedder, str) else self._embedder.name
        return {"model": self.spec.name, "made_for": self.spec.load, "embedder": name, **contents(self._store, self.hippocampus)}

    def close(self) -> None:
        """Close the file. What was stored is on disk already."""
        self._store.close()

    def __exit__(self, *raised: object) -> None:
        self.close()
