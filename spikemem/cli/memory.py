"""Commands of a memory in a file: store, recall, chain, associate, forget, consolidate, info."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from spikemem.cli.show import BAR_FROM, Json, bar, clear_errors, err, lines, out, save, show, spinner
from spikemem.errors import TextError

app = typer.Typer()
Brain = Annotated[Path, typer.Argument(metavar="BRAIN.db", help="The memory's file.")]


@app.command(epilog="Example: `spikemem store brain.db 'Ada moved to Lisbon.' --cue 'Where does Ada live?'`")
def store(
    brain: Brain,
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Memories to store.")] = None,
    file: Annotated[Path | None, typer.Option(help="A UTF-8 file with one memory a line.")] = None,
    cue: Annotated[list[str] | None, typer.Option(help="A further cue, where one TEXT is stored.")] = None,
    model: Annotated[str | None, typer.Option(help="Model of a new memory; hippocampus-base by default.")] = None,
    json_: Json = False,
) -> None:
    """Store memories; prints their ids."""
    from spikemem.memory import Memory

    with clear_errors():
        said = list(texts or []) + (lines(file) if file else [])
        if not said:
            raise TextError("nothing to store: give TEXT or --file")
        if cue and len(said) != 1:
            raise TextError(f"--cue belongs to one memory, not to {len(said)}")
        with Memory.open(brain, model) as memory, bar("storing", len(said) >= BAR_FROM) as progress:
            ids = memory.store_all(said, [list(cue)] if cue else None, progress=progress)
        if json_:
            out.print_json(json.dumps(ids))
        else:
            out.print(f"stored {len(ids)} as {ids[0]}" + (f" to {ids[-1]}" if len(ids) > 1 else ""))


@app.command(epilog='Example: `spikemem recall brain.db "Ada\'s city" --top-k 3 --plot recall.png`')
def recall(
    brain: Brain,
    cue: Annotated[str, typer.Argument(metavar="CUE")],
    top_k: Annotated[int, typer.Option(min=1, help="How many memories.")] = 3,
    plot_: Annotated[Path | None, typer.Option("--plot", help="Also simulate every spike and draw the raster here.")] = None,
    json_: Json = False,
) -> None:
    """Recall memories by a cue."""
    from spikemem import plots
    from spikemem.memory import Memory

    with clear_errors(), Memory.open(brain, readonly=True) as memory:
        with err.status("recalling"):
            hits = memory.recall(cue, top_k, record=plot_ is not None)
        show([{"id": h.id, "score": h.score, "text": h.text} for h in hits], json_)
        if plot_ is not None and hits.recording is not None:
            save(plots.raster(hits.recording, title=cue), plot_)


@app.command(epilog='Example: `spikemem chain brain.db "the broken clock" --hops 3`')
def chain(
    brain: Brain,
    cue: Annotated[str, typer.Argument(metavar="CUE")],
    hops: Annotated[int, typer.Option(min=1, help="How many hops.")] = 3,
    json_: Json = False,
) -> None:
    """Recall a memory, and those that follow it."""
    from spikemem.memory import Memory

    with clear_errors(), Memory.open(brain, readonly=True) as memory:
        with err.status("following the chain"):
            first, hits = memory.recall(cue, 1), memory.recall_chain(cue, hops)
        show([{"hop": i, "id": h.id, "text": h.text} for i, h in enumerate([*first, *hits])], json_)


@app.command(epilog="Example: `spikemem associate brain.db 0 1 2` binds 0 to 1 and 1 to 2")
def associate(brain: Brain, ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Memories in their order.")]) -> None:
    """Bind memories into a chain."""
    from spikemem.memory import Memory

    with clear_errors(), Memory.open(brain) as memory:
        if len(ids) < 2:
            raise TextError("a chain needs at least two memories")
        memory.associate_all(list(pairwise(ids)))
        out.print(f"bound {len(ids) - 1} pairs")


@app.command(epilog="Example: `spikemem forget brain.db 3 17`")
def forget(brain: Brain, ids: Annotated[list[int], typer.Argument(metavar="ID...")]) -> None:
    """Delete memories for good."""
    from spikemem.memory import Memory

    with clear_errors(), Memory.open(brain) as memory:
        memory.forget(*ids)
        out.print(f"forgot {len(ids)}")


@app.command(epilog="Example: `spikemem consolidate brain.db`")
def consolidate(brain: Brain) -> None:
    """Sleep: adapt to all that is stored and write the surviving engrams anew."""
    from spikemem.memory import Memory

    with clear_errors(), Memory.open(brain) as memory, spinner("sleeping"):
        memory.consolidate()
        out.print(f"consolidated {len(memory)} memories")


@app.command(epilog="Example: `spikemem info brain.db --json`")
def info(brain: Brain, json_: Json = False) -> None:
    """What is stored, and how full CA3 is."""
    from spikemem.memory import Memory

    with clear_errors(), Memory.open(brain, readonly=True) as memory:
        facts = {**memory.info(), "file_megabytes": round(brain.stat().st_size / 1e6, 2)}
        if json_:
            out.print_json(json.dumps(facts))
        else:
            show([{"what": k.replace("_", " "), "value": str(v)} for k, v in facts.items()], False)
