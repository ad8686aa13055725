"""Commands of a memory in a file: store, recall, chain, associate, forget, consolidate, info."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikemem.cli.show import BAR_FROM, Json, bar, clear_errors, err, lines, out, save, show, spinner
from spikemem.errors import StoreError, TextError

if TYPE_CHECKING:
    from spikemem.memory.memory import Memory
    from spikemem.memory.results import Decision, Hit, Hits

app = typer.Typer()
Brain = Annotated[Path, typer.Argument(metavar="BRAIN.db", help="The memory's file.")]
ScopeOption = Annotated[
    list[str] | None, typer.Option("--scope", metavar="KEY=TEXT", help="Whose: user=, agent= or run=; repeat for more.")
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="KEY=VALUE", help="Metadata that a memory must have; a VALUE that is JSON is read so."),
]
MetadataOption = Annotated[
    list[str] | None, typer.Option("--metadata", metavar="KEY=VALUE", help="A note to store with it; a VALUE that is JSON is read so.")
]


def loaded() -> type["Memory"]:
    """The class of text memories, which is imported when a command needs it."""
    from spikemem.memory.memory import Memory

    return Memory


def existing(brain: Path, readonly: bool = False) -> "Memory":
    """The memory of a command that stores nothing new, and so makes no file."""
    path = brain.absolute()  # a file, also where it is named :memory:
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        raise StoreError(f"there is no memory in {path}; store something first")
    return loaded().open(path, readonly=readonly)


def labels_of(given: list[str] | None) -> dict[str, Any] | None:
    """Options KEY=VALUE as a mapping; a value that is a JSON number, true, false, null, list or mapping is that, anything else a text.

    >>> labels_of(["topic=boats", "page=3"])
    {'topic': 'boats', 'page': 3}
    """
    if not given:
        return None
    made = dict[str, Any]()
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise TextError(f"{pair!r} is no KEY=VALUE")
        try:
            made[key] = json.loads(value)
        except (ValueError, RecursionError):
            made[key] = value
    return made


@app.command(
    epilog="Examples: `spikemem store brain.db 'Ada moved to Lisbon.' --cue 'Where does Ada live?' --when 2024-05-01`, "
    "`spikemem store brain.db --conversation talk.json`, `spikemem store brain.db --conversation more.json --after 41`"
)
def store(
    brain: Brain,
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Memories to store.")] = None,
    file: Annotated[Path | None, typer.Option(help="A UTF-8 file with one memory a line.")] = None,
    cue: Annotated[list[str] | None, typer.Option(help="A further cue, where one TEXT is stored.")] = None,
    conversation: Annotated[
        Path | None,
        typer.Option(
            help="A conversation, a memory for each turn: a JSON list of turns, a list of such lists (one a session), or JSON Lines. "
            "A turn has a text and may have speaker, when (ISO 8601) and caption."
        ),
    ] = None,
    after: Annotated[
        int | None, typer.Option(metavar="ID", help="A memory whose session the turns of --conversation go on with; they come last in it.")
    ] = None,
    when: Annotated[str | None, typer.Option(metavar="DATE", help="When it happened, ISO 8601; UTC where it has no zone.")] = None,
    scope: ScopeOption = None,
    metadata: MetadataOption = None,
    model: Annotated[str | None, typer.Option(help="Model of a new memory; hippocampus-text by default.")] = None,
    json_: Json = False,
) -> None:
    """Store memories; prints their ids. One of over 128 words also gets a key for each piece of about that length."""
    from spikemem.memory.memory import Memory

    with clear_errors():
        if conversation is None:
            if after is not None:
                raise TextError("--after belongs to --conversation")
            run, keys = _storing(list(texts or []) + (lines(file) if file else []), list(cue or []), when, _labels(scope, metadata))
        elif texts or file or cue or when:
            raise TextError("a conversation is stored by itself, and its turns have their own times: no TEXT, --file, --cue or --when")
        else:
            run, keys = _conversing(conversation, after, _labels(scope, metadata))
        with Memory.open(brain, model) as memory, bar("storing", keys >= BAR_FROM) as progress:
            ids = run(memory, progress)
            decided = memory.decisions
        if decided:
            show([_decided(decision) for decision in decided], json_)
        elif json_:
            out.print_json(json.dumps(ids))
        else:
            out.print(f"stored {len(ids)} as {ids[0]}" + (f" to {ids[-1]}" if len(ids) > 1 else ""))


def _decided(decision: "Decision") -> dict[str, Any]:
    held = "" if decision.held in (None, decision.text) else decision.held
    return {"id": decision.id, "done": decision.action, "text": decision.text, "old": decision.old, "held": held}


Storing = Callable[["Memory", Callable[[int, int], None]], list[int]]


def _labels(scope: list[str] | None, metadata: list[str] | None) -> dict[str, Any]:
    return {"scope": scope_of(scope), "metadata": labels_of(metadata)}


def scope_of(given: list[str] | None) -> dict[str, str] | None:
    """A scope's options; its values are texts, whatever they look like."""
    pairs = [(pair.partition("=")[0], pair.partition("=")[2]) for pair in given or []]
    if len({key for key, _ in pairs}) < len(pairs):
        raise TextError("--scope names a key twice; a memory has one user, one agent, one run")
    return dict(pairs) or None


def _storing(texts: list[str], cues: list[str], when: str | None, labels: dict[str, Any]) -> tuple[Storing, int]:
    """What stores texts, and about how many keys they have."""
    from spikemem.memory.texts import parse_time, pieces

    if not texts:
        raise TextError("nothing to store: give TEXT, --file or --conversation")
    if cues and len(texts) != 1:
        raise TextError(f"--cue belongs to one memory, not to {len(texts)}")
    happened = None if when is None else parse_time(when)
    keys = sum(1 + len(pieces(text)) for text in texts)
    return lambda memory, progress: memory.store_all(texts, [cues] if cues else None, progress=progress, when=happened, **labels), keys


def _conversing(file: Path, after: int | None, labels: dict[str, Any]) -> tuple[Storing, int]:
    """What stores the conversation of a file, and about how many keys it has."""
    from spikemem.memory.conversation import read_conversation, sessions_of, turns_after

    given = read_conversation(file)
    turns = sum(map(len, sessions_of(given))) if after is None else len(turns_after(given, None))
    if not turns:
        raise TextError(f"nothing to store: there are no turns in {file}")
    return lambda memory, progress: memory.store_conversation(given, after=after, progress=progress, **labels), turns


@app.command(
    epilog='Examples: `spikemem recall brain.db "Ada\'s city" --top-k 3 --plot recall.png`, '
    '`spikemem recall brain.db "the harbour" --around 2024-05-01 --why`'
)
def recall(
    brain: Brain,
    cue: Annotated[str, typer.Argument(metavar="CUE")],
    top_k: Annotated[int, typer.Option(min=1, help="How many memories.")] = 3,
    around: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="A time near them, ISO 8601; UTC where it has no zone; a date alone is its noon."),
    ] = None,
    cycles: Annotated[
        int,
        typer.Option(
            min=1,
            help="Theta cycles; from the second on, what was recalled lights its successors (associate) and memories whose --cue it names. "
            "Without any of these more cycles change nothing.",
        ),
    ] = 2,
    scope: ScopeOption = None,
    where: WhereOption = None,
    history: Annotated[bool, typer.Option("--history", help="Also what was superseded.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Also print what each pathway brought to the score.")] = False,
    plot_: Annotated[Path | None, typer.Option("--plot", help="Also simulate every spike and draw the raster here.")] = None,
    json_: Json = False,
) -> None:
    """Recall memories by a cue."""
    from spikemem.memory.texts import parse_around

    with clear_errors():
        near = None if around is None else parse_around(around)
        with existing(brain, readonly=True) as memory:
            with err.status("recalling"):
                wanted: dict[str, Any] = {"scope": scope_of(scope), "where": labels_of(where), "history": history}
                hits = memory.recall(cue, top_k, record=plot_ is not None, around=near, cycles=cycles, **wanted)
            show([_row(hit, why, json_, json_ or any(h.when for h in hits), history) for hit in hits], json_)
            _tell_withheld(hits)
            if plot_ is not None and hits.recording is not None:
                from spikemem import plots

                save(plots.raster(hits.recording, title=cue), plot_)


def _tell_withheld(hits: "Hits") -> None:
    """Why there are no hits, where the read gate withheld some."""
    if hits.withheld:
        err.print(f"the read gate stayed shut ({hits.read:.0%} of its cells fired): nothing that is stored answers this cue")


def _row(hit: "Hit", why: bool, json_: bool, dated: bool, history: bool) -> dict[str, Any]:
    when = hit.when.isoformat() if json_ and hit.when else None if json_ else str(hit.when or "")[:16]
    return {
        "id": hit.id,
        "score": hit.score,
        **(hit.drives if why else {}),
        **({"when": when} if dated else {}),
        **({"holds": hit.current} if history else {}),
        "text": hit.text,
    }


@app.command(epilog='Example: `spikemem chain brain.db "the broken clock" --hops 3`')
def chain(
    brain: Brain,
    cue: Annotated[str, typer.Argument(metavar="CUE")],
    hops: Annotated[int, typer.Option(min=1, help="How many hops.")] = 3,
    json_: Json = False,
) -> None:
    """Recall a memory, and those that follow it."""

    with clear_errors(), existing(brain, readonly=True) as memory:
        with err.status("following the chain"):
            first = memory.recall(cue, 1)
            hits = memory.recall_chain(cue, hops) if first else []
        show([{"hop": i, "id": h.id, "text": h.text} for i, h in enumerate([*first, *hits])], json_)
        _tell_withheld(first)


@app.command(epilog="Example: `spikemem associate brain.db 0 1 2` binds 0 to 1 and 1 to 2")
def associate(brain: Brain, ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Memories in their order.")]) -> None:
    """Bind memories into a chain."""
    with clear_errors(), existing(brain) as memory:
        if len(ids) < 2:
            raise TextError("a chain needs at least two memories")
        memory.associate_all(list(pairwise(ids)))
        out.print(f"bound {len(ids) - 1} pairs")


@app.command(name="delete", help="Delete memories for good: the usual name of `forget`.", epilog="Example: `spikemem delete brain.db 3 17`")
@app.command(epilog="Example: `spikemem forget brain.db 3 17`")
def forget(brain: Brain, ids: Annotated[list[int], typer.Argument(metavar="ID...")]) -> None:
    """Delete memories for good."""
    with clear_errors(), existing(brain) as memory:
        memory.forget(*ids)
        out.print(f"forgot {len(ids)}")


@app.command(epilog="Example: `spikemem consolidate brain.db`")
def consolidate(brain: Brain) -> None:
    """Sleep: adapt to all that is stored and write the surviving engrams anew."""
    with clear_errors(), existing(brain) as memory, spinner("sleeping"):
        slept = memory.consolidate()
        out.print(f"consolidated {slept.memories} memories, gave back {slept.freed / 1e6:.2f} of {(slept.freed + slept.size) / 1e6:.2f} MB")


@app.command(epilog="Example: `spikemem grow brain.db --expected 200000`")
def grow(
    brain: Brain,
    expected: Annotated[int | None, typer.Option(min=1, help="Memories to make room for; twice those stored by default.")] = None,
) -> None:
    """Make room for more memories: more cells in DG and CA3, and all that is stored written anew."""
    with clear_errors(), existing(brain) as memory, spinner("growing"):
        room = expected or max(2 * len(memory), memory.spec.load)
        cells = memory.grow(room)
    out.print(f"room for {room:,} memories: {cells:,} cells in DG and in CA3")


@app.command(epilog="Example: `spikemem info brain.db --json`")
def info(brain: Brain, json_: Json = False) -> None:
    """What is stored, and how full CA3 is."""

    with clear_errors(), existing(brain, readonly=True) as memory:
        facts = {**memory.info(), "file_megabytes": round(brain.stat().st_size / 1e6, 2)}
        if json_:
            out.print_json(json.dumps(facts))
        else:
            show([{"what": k.replace("_", " "), "value": str(v)} for k, v in facts.items()], False)
