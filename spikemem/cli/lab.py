"""The command that opens the laboratory: a recall, spike by spike, as a page to look into."""

from pathlib import Path
from typing import Annotated

import typer

from spikemem.cli.memory import Brain, existing
from spikemem.cli.show import clear_errors, out, plain, spinner
from spikemem.errors import SpikememError

app = typer.Typer()


@app.command(epilog="Example: `spikemem lab brain.db --cue 'Where does Ada live?'`, then open lab.html in a browser")
def lab(
    brain: Brain,
    cue: Annotated[str | None, typer.Option(metavar="TEXT", help="The cue; the text of the latest memory by default.")] = None,
    page: Annotated[Path, typer.Option("--out", metavar="PAGE.html", help="Where the page goes.")] = Path("lab.html"),
    top_k: Annotated[int, typer.Option(min=1, max=9, help="Memories to recall.")] = 5,
) -> None:
    """Show a recall as one page of HTML: its spikes, engrams and membranes, the circuit, and what the engrams are like."""
    from spikemem.report import lab as laboratory

    with clear_errors(), spinner("opening the memory") as stage:
        laboratory.check_extra()
        if page.is_dir() or not page.absolute().parent.is_dir():
            raise SpikememError(f"{page} cannot be written: {'it is a folder' if page.is_dir() else 'its folder is not there'}")
        with existing(brain, readonly=True) as memory:
            stage("recalling")
            seen = laboratory.observe(memory, cue, top_k, brain.name)
            path = laboratory.write(seen, page, stage)
    out.print(f"laboratory: {plain(str(path))}, {path.stat().st_size / 1e6:.1f} MB")
