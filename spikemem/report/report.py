"""The demo's report: figures from its result, and one self-contained HTML page.

What the page says of a model with index cells, and of one of engrams, stands in its template between comments of these names.
"""

import base64
import html
import io
import re
from pathlib import Path
from string import Template

import numpy as np
from matplotlib.figure import Figure

from spikemem import plots
from spikemem.evaluate.compare import shares, wilson
from spikemem.hippocampus.regions.rhythm import DG_RELEASE, DT, GAMMA, release
from spikemem.report import lab
from spikemem.report.demo import CURVE, HOPS, DemoResult, Stage
from spikemem.report.demo import ENGRAMS as ENGRAM_MODEL

ENGRAMS = 50
"""Memories in the similarity matrices."""
EXAMPLE = 0
"""Which of the stand-alone statements is shown recalled."""
ATTEMPTS = 3
"""Memories that CA3 recalls in the figure of its attempts."""
BARS = 8
"""Competitors shown in the attention figure."""
PAGE = Path(__file__).with_suffix(".html")


def figures(result: DemoResult) -> dict[str, Figure]:
    """The report's figures by name."""
    spiking, corpus = result.pair.spiking, result.corpus
    place = corpus.alone[EXAMPLE]
    cue = result.cues[place, 0]
    recalled = spiking.recall(cue, top_k=3, record=True)
    assert recalled.recording is not None
    title = f"“{corpus.cues[place][0]}” recalls “{corpus.texts[recalled.ids[0, 0]]}”"
    made = {
        "rows": plots.rows(result.rows, result.pair.sharpness),
        "raster": plots.raster(recalled.recording, *_populations(result, "ca1_dendrite", "ca1", "sub"), title=title),
        "membrane": _membrane(result, place),
        "attempts": _attempts(result, place),
        "chain": _chain(result),
        "cost": plots.cost(result.synaptic_events, result.multiplications, *result.recall_ms),
    }
    if result.pair.spiking.spec.engram is None:
        made |= {"similarity": _similarity(result), "attention": _attention(result)}
    return made


def _populations(result: DemoResult, *index: str) -> tuple[str, ...]:
    """What a raster shows, in a model with index cells those of them, too."""
    return "ec", "dg", "ca3", *(index if result.pair.spiking.spec.engram is None else ("ca1",)), "ec_deep"


def _attempts(result: DemoResult, place: int) -> Figure:
    """A recall by CA3, attempt by attempt."""
    memory, corpus = result.engrams, result.corpus
    found = memory.recall(result.cues[place, 0], ATTEMPTS, record=True)
    assert found.recording is not None
    names = [_short(corpus.texts[i], 40) for i in found.ids[0]]
    return plots.attempts(found.recording, memory.engrams(found.ids[0]), names, title=f"“{corpus.cues[place][0]}”")


def _membrane(result: DemoResult, place: int) -> Figure:
    """A granule cell that wins and one that does not, in the first gamma cycle of a recall."""
    spiking, cue = result.pair.spiking, result.cues[place, 0]
    volley = spiking.circuit.volley(cue[None])
    winner = int(volley.codes[0, 0])
    near = spiking.circuit.dg.drive(volley.counts)[0]
    near[volley.codes[0].astype(int)] = -np.inf
    cells = [winner, int(np.argsort(-near)[len(near) // 20])]
    recording = spiking.simulate_recall(cue, attention_cycles=1, record={"dg": cells})
    hold = spiking.circuit.dg.hold
    common = np.cumsum(release(hold, DG_RELEASE, spiking.circuit.dg.levels))
    time = np.arange(GAMMA) * DT
    level = np.where(common > -hold / 2, 1.0 - common, np.nan)
    level[DG_RELEASE[-1] :] = np.nan
    drives = {}
    spikes = {}
    for j, name in enumerate(("a winner", "a loser")):
        voltage = recording.voltages["dg"][:GAMMA, 0, j] - common
        fired = recording["dg"].between(0, GAMMA)
        at = fired.step[fired.cell == cells[j]]
        silenced = at[0] if len(at) else recording["dg.basket"].step[0] - 1
        voltage[silenced + 1 :] = np.nan
        drives[name], spikes[name] = voltage, (at * DT).tolist()
    return plots.membrane(time, drives, level, spikes)


def _similarity(result: DemoResult) -> Figure:
    """Texts against engrams, for statements of chains, where neighbours are alike."""
    some = [i for chain in result.corpus.chains for i in chain][:ENGRAMS]
    vectors, codes = result.texts[some], result.pair.spiking.engrams(some)
    lit = np.zeros((len(some), result.pair.spiking.spec.dg.cells))
    lit[np.arange(len(some))[:, None], codes.astype(int)] = 1.0
    return plots.similarity(np.clip(vectors @ vectors.T, 0, 1), lit @ lit.T / codes.shape[1])


def _attention(result: DemoResult) -> Figure:
    """One cue that is torn between memories, and the curve over many."""
    alone = result.corpus.alone
    cues = result.cues[alone, 0]
    _, softmax = result.pair.rate.first_attention(cues)
    torn = int(np.argmin(np.abs(softmax.max(axis=1) - 0.5)))
    spiking = result.pair.spiking.recall(cues[torn], attention_cycles=CURVE[-1])
    memories, weights = result.pair.rate.first_attention(cues[torn])
    rate, counted = shares(memories[0], weights[0]), shares(spiking.competitors[0], spiking.attention[0])
    best = sorted(rate, key=lambda m: -rate[m])[:BARS]
    labels = [_short(result.corpus.texts[m]) for m in best]
    figure = plots.attention(labels, [counted.get(m, 0.0) for m in best], [rate[m] for m in best], result.attention_curve)
    figure.suptitle(f"“{result.corpus.cues[alone[torn]][0]}”, {CURVE[-1]} gamma cycles", fontsize=10)
    return figure


def _chain(result: DemoResult) -> Figure:
    """The raster of a chain."""
    chain = _story(result)
    recording = result.pair.spiking.simulate_chain(result.texts[chain[0]], HOPS)
    return plots.raster(recording, *_populations(result, "ca1", "sub"), title=f"from “{_short(result.corpus.texts[chain[0]])}”")


def _story(result: DemoResult) -> list[int]:
    """The chain that is shown: one from the middle of the corpus."""
    long = [c for c in result.corpus.chains if len(c) > HOPS]
    return long[len(long) // 2]


def _short(text: str, length: int = 58) -> str:
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + " …"


def write(result: DemoResult, folder: str | Path) -> Path:
    """Write every figure as PNG and the report as one HTML file; returns the path of the report."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, str] = {}
    for name, figure in figures(result).items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150)
        (folder / f"{name}.png").write_bytes(buffer.getvalue())
        pictures[name] = base64.b64encode(buffer.getvalue()).decode()
    path = folder / "report.html"
    path.write_text(page(result, pictures), encoding="utf-8")
    return path


def laboratory(result: DemoResult, path: str | Path, stage: Stage = lambda name: None) -> Path:
    """Write the laboratory's page of the report's example (`report.lab`); MissingExtraError without the extra `lab`."""
    place = result.corpus.alone[EXAMPLE]
    cue, vector = result.corpus.cues[place][0], result.cues[place, 0]
    return lab.write(lab.observe_vectors(result.pair.spiking, result.corpus.texts, result.texts, cue, vector), path, stage)


def page(result: DemoResult, pictures: dict[str, str]) -> str:
    """The report as HTML.   pictures: base64 PNG by name."""
    spec, corpus = result.pair.spiking.spec, result.corpus
    table = "".join(
        f"<tr><td>{html.escape(r.name)}</td><td>{r.n}</td>{''.join(_share(s, r.n) for s in (r.spiking, r.rate, r.chosen, r.cosine))}</tr>"
        for r in result.rows
    )
    chain = _story(result)
    ids = result.pair.spiking.recall_chain(result.texts[chain[0]], HOPS)[0]
    story = "".join(f"<blockquote>{html.escape(corpus.texts[i])}</blockquote>" for i in (chain[0], *ids) if i >= 0)
    fast, slow = result.pair.spiking.density()
    absent = "index" if spec.engram else "engram"
    template = re.sub(f"<!-- {absent} -->.*?<!-- /{absent} -->\n?", "", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    damaged = "".join(
        f"<tr><td>{html.escape(d.damage)}</td><td>{d.n}</td>{_share(d.right, d.n)}<td>{d.whole:.3f}</td></tr>" for d in result.damaged
    )
    return Template(template).substitute(
        {f"picture_{name}": f"data:image/png;base64,{data}" for name, data in pictures.items()},
        statements=len(corpus.texts),
        model=html.escape(spec.name),
        cells=f"{spec.dg.cells:,}",
        winners=spec.dg.winners,
        hops=HOPS,
        cycles=CURVE[-1],
        rows_table=table,
        **{name: f"{value:g}" for name, value in result.pair.sharpness.items()},
        story=story,
        agreement=f"{result.agreement:.1%}",
        ec_cosine=f"{result.ec_cosine:.4f}",
        fast=f"{fast:.2%}",
        slow=f"{slow:.2%}",
        attention_tv=f"{result.attention_curve.get(CURVE[-1], 0.0):.3f}",
        engrams=ENGRAM_MODEL,
        damaged_table=damaged,
        synaptic_events=f"{result.synaptic_events:,.0f}",
        simulated_events=f"{result.simulated_events:,}",
        multiplications=f"{result.multiplications:,.0f}",
        seconds=f"{result.seconds:.0f}",
    )


def _share(share: float | None, n: int) -> str:
    if share is None:
        return "<td>-</td>"
    low, high = wilson(share, n)
    return f'<td>{share:.3f} <span class="interval">[{low:.3f}, {high:.3f}]</span></td>'
