"""The page of what was learned, docs/learning.md, from what the measuring scripts wrote.

    (the commands that the page names)
    python analysis/learning_page.py

What has not been measured is left out.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spikemem.training.babi import COMPANY, ENTNET, MEMN2N

INTRODUCTION = """# What was learned

Made by `python analysis/learning_page.py` from what the commands below wrote; nothing is typed by hand. Seconds are of two shared
cores, for orientation alone.
"""
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--results", type=Path, default=Path("results"))
parser.add_argument("--out", type=Path, default=Path("docs/learning.md"))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown; the first column is words."""
    lines = [f"| {' | '.join(columns)} |", f"| :-- |{' --: |' * (len(columns) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def codes(made: Any) -> str:
    shown = [row for row in made["rows"] if row["cosine"] >= 0.98]
    columns = ("code", "parameter", "seed", "text", "cosine", "spikes", "dead cells")
    rows = [
        (
            r["code"],
            f"{r['parameter']:g}",
            "" if r["seed"] is None else r["seed"],
            r["source"],
            f"{r['cosine']:.4f}",
            f"{r['spikes']:.0f}",
            f"{r['dead']:.1%}",
        )
        for r in shown
    ]
    return (
        table(columns, rows)
        + f"\n\nParameter: a spike's price (trained), the charge (analytic), the width (latency). {made['sentences']:,} texts a source."
    )


def likeness(made: Any) -> str:
    columns = ("cell", "seed", "pairs of", "correlation", "untrained", "mean difference", "untrained", "correlation, any two", "seconds")
    figures = ("correlation", "untrained correlation", "error", "untrained error", "any two")
    rows = [(r["cell"], r["seed"], r["data"], *(f"{r[name]:.3f}" for name in figures), f"{r['seconds']:.0f}") for r in made]
    note = (
        "An untrained network is as good in the correlation: its synapses begin as random projections, which keep likeness. Training\n"
        "brings the cosines of the changes themselves nearer to those of the events."
    )
    return f"{table(columns, rows)}\n\n{note}"


def slots(made: Any) -> str:
    columns = (
        "cell",
        "seed",
        "sentences of",
        "content cosine",
        "time error",
        "missed",
        "false",
        "displaced",
        "calibration error",
        "seconds",
    )
    shares = ("missed", "false", "displaced")
    return table(
        columns,
        [
            (
                r["cell"],
                r["seed"],
                r["data"],
                f"{r['content']:.3f}",
                f"{r['time']:.4f}",
                *(f"{r[s]:.1%}" for s in shares),
                f"{r['calibration']:.3f}",
                f"{r['seconds']:.0f}",
            )
            for r in made
        ],
    )


def gates(made: Any) -> str:
    steps = sorted({int(t) for by_steps in made.values() for t in by_steps})
    rows = [(gate, *(f"{by_steps[str(t)]:.4f}" for t in steps)) for gate, by_steps in made.items()]
    return table(("mean of spiking - rate", *(f"T = {t}" for t in steps)), rows)


def stories(outcomes: Any) -> str:
    rows, means = [], {"spiking": [], "rate": []}
    done = [{o["task"] for o in outcomes if o["cell"] == cell} for cell in means]
    for task in sorted(set.intersection(*done)):
        best = {}
        for cell in means:
            runs = [o for o in outcomes if (o["task"], o["cell"]) == (task, cell)]
            best[cell] = min(runs, key=lambda o: (o["validation"], o["loss"]))
            means[cell].append(best[cell]["error"])
        errors = (f"{best[cell]['error']:.1f}" for cell in means)
        spent = (f"{best[cell]['epochs']}, {best[cell]['seconds']:.0f} s" for cell in means)
        rows.append((task, *errors, MEMN2N[task - 1], ENTNET[task - 1], f"{best['spiking']['trained_on']:,}", *spent))
    published = [f"{sum(errors[row[0] - 1] for row in rows) / len(rows):.2f}" for errors in (MEMN2N, ENTNET)]
    rows.append(("mean", *(f"{sum(e) / len(e):.2f}" for e in means.values()), *published, "", "", ""))
    columns = ("task", "spiking", "its rate twin", "MemN2N, 1k", "EntNet, 10k", "questions taught", "epochs, spiking", "epochs, rate")
    company = "; ".join(f"task {task} is learned together with {' and '.join(map(str, others))}" for task, others in COMPANY.items())
    notes = (
        "Test errors in per cent, each task alone; of several seeds the best by what is kept apart: a tenth of 10,000 training questions.",
        f"Of task 3 there were 1,000 to be had: {company}, for 30 epochs (`--tasks 3 --epochs 30`).",
    )
    return "\n\n".join([table(columns, rows), "\n".join(notes)])


def stream(made: Any) -> str:
    actions = ("write", "overwrite", "refresh", "renew")
    rows = [(r["stream"], r["kind"], r["n"], *(f"{r[a]:.2%}" for a in actions)) for r in made["rows"]]
    return table(("stream", "event", "n", "written", "overwrote", "refreshed", "renewed"), rows)


SECTIONS: tuple[tuple[str, str, str, Callable[[Any], str]], ...] = (
    ("EC's code", "sims/ec_codes.py --penalties 3e-5 --weights models/weights/ec-minilm.safetensors", "ec_codes.json", codes),
    (
        "SPMN, step 0: likeness of memory changes and events",
        "sims/write_similarity.py --cell spiking rate --seeds 0 1 2",
        "write_similarity.json",
        likeness,
    ),
    ("SPMN, step 1: what happened when, 8 sentences", "sims/slots.py --cell rate spiking", "slots.json", slots),
    ("SPMN, spiking against rate, gate by gate", "sims/spmn_gates.py", "spmn_gates.json", gates),
    ("SPMN, step 2: the bAbI tasks", "sims/babi.py", "babi", stories),
    ("The gates in the hippocampus", "sims/gated_stream.py", "gated_stream.json", stream),
)


def read(place: Path) -> Any:
    """A result file, or all outcomes in a folder; None where there is none."""
    if place.is_dir():
        return [json.loads(path.read_text()) for path in sorted(place.glob("*/outcome.json"))] or None
    return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None


def main() -> None:
    args = parser.parse_args()
    parts = [INTRODUCTION]
    for title, script, name, section in SECTIONS:
        place = args.results / name
        if (made := read(place)) is not None:
            day = f"{datetime.fromtimestamp(place.stat().st_mtime, UTC):%Y-%m-%d}"
            parts.append(f"## {title}\n\n`python {script} --data DIR`, {day}\n\n{section(made)}\n")
    args.out.write_text("\n".join(parts), encoding="utf-8")
    print(args.out)


if __name__ == "__main__":
    main()
