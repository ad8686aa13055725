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
    columns = ("code", "parameter", "seed", "text", "cosine", "spikes", "dead cells", "seconds")
    rows = [
        (
            r["code"],
            f"{r['parameter']:g}",
            "" if r["seed"] is None else r["seed"],
            r["source"],
            f"{r['cosine']:.4f}",
            f"{r['spikes']:.0f}",
            f"{r['dead']:.1%}",
            "" if r["seconds"] is None else f"{r['seconds']:.0f}",
        )
        for r in shown
    ]
    return (
        table(columns, rows)
        + f"\n\nParameter: a spike's price (trained), the charge (analytic), the width (latency). {made['sentences']:,} texts a source."
    )


def recalled(made: Any) -> str:
    rows = []
    for seed, systems in made.items():
        for r in systems:
            if r["events"] is not None or seed == min(made):
                of = "" if r["events"] is None else seed
                events = "" if r["events"] is None else f"{r['events']:,.0f}"
                rows.append((r["system"], of, *(f"{r['shares'][f'hit@{k}']:.3f}" for k in (1, 5, 10)), events))
    n = next(iter(made.values()))[0]["n"]
    return f"{table(('system', 'seed', 'hit@1', 'hit@5', 'hit@10', 'synaptic events'), rows)}\n\nLoCoMo, {n} questions, by meaning alone."


def likeness(made: Any) -> str:
    columns = ("cell", "seed", "pairs of", "correlation", "untrained", "mean difference", "untrained", "correlation, any two", "seconds")
    figures = ("correlation", "untrained correlation", "error", "untrained error", "any two")
    rows = [(r["cell"], r["seed"], r["data"], *(f"{r[name]:.3f}" for name in figures), f"{r['seconds']:.0f}") for r in made]
    note = (
        "Of the spiking cell and its twin an untrained network is better in the correlation: its synapses begin as random projections,\n"
        "which keep likeness. Training brings the cosines of the changes nearer to those of the events.\n"
        "rate-v1 and rate-v2 are the published cells, mended, trained as the others."
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
    rows, cells = [], ("spiking", "rate")
    best, first = ({cell: list[float]() for cell in cells} for _ in range(2))
    done = [{o["task"] for o in outcomes if o["cell"] == cell} for cell in cells]
    for task in sorted(set.intersection(*done)):
        errors, spent = [], []
        for cell in cells:
            runs = sorted((o for o in outcomes if (o["task"], o["cell"]) == (task, cell)), key=lambda o: o["seed"])
            chosen = min(runs, key=lambda o: (o["validation"], o["loss"]))
            best[cell].append(chosen["error"])
            first[cell].append(runs[0]["error"])
            errors += [f"{chosen['error']:.1f}", ", ".join(f"{o['error']:.1f}" for o in runs)]
            spent.append(f"{chosen['epochs']}, {chosen['seconds']:.0f} s")
        rows.append((task, *errors, MEMN2N[task - 1], ENTNET[task - 1], f"{runs[0]['trained_on']:,}", *spent))
    published = [f"{sum(errors[row[0] - 1] for row in rows) / len(rows):.2f}" for errors in (MEMN2N, ENTNET)]
    means = [f"{sum(of[cell]) / len(rows):.2f}" for cell in cells for of in (best, first)]
    rows.append(("mean", *means, *published, "", "", ""))
    columns = (
        "task", "spiking", "by seed", "its rate twin", "by seed", "MemN2N, 1k", "EntNet, 10k", "questions taught", "epochs, spiking",
        "epochs, rate",
    )  # fmt: skip
    company = "; ".join(f"task {task} is learned together with {' and '.join(map(str, others))}" for task, others in COMPANY.items())
    notes = (
        "Test errors in per cent, each task alone: of several seeds the best by a tenth of the training questions, which is kept apart,",
        "and those of each seed that was run, from 0 on; their mean is that of seed 0.",
        f"Of task 3 there were 1,000 to be had: {company}, for 30 epochs (`--tasks 3 --epochs 30`).",
    )
    return "\n\n".join([table(columns, rows), "\n".join(notes)])


def reading(made: Any) -> str:
    shares = ("answered", "from", "to", "right@5", "right@5, open")
    rows = [(r["questions"], f"{r['n']:,}", *(f"{r[name]:.3f}" for name in shares)) for r in made["rows"]]
    note = (
        "Answered: the share of the questions for which the read gate opens, with its 95 % Wilson interval. Right@5: one of the first\n"
        "five hits is right; open: would be, had the gate been open. The adversarial ones ask for what the other speaker said."
    )
    return f"{table(('questions', 'n', *shares), rows)}\n\n{note}"


def stream(made: Any) -> str:
    actions = ("write", "overwrite", "refresh", "renew")
    rows = [(r["stream"], r["kind"], r["n"], *(f"{r[a]:.2%}" for a in actions)) for r in made["rows"]]
    seconds = "; ".join(f"{name} {', '.join(f'{s:.0f}' for s in by_seed)}" for name, by_seed in made["seconds"].items())
    columns = ("stream", "event", "n", "written", "overwrote", "refreshed", "renewed")
    return f"{table(columns, rows)}\n\nSeconds without the embedding, a stream a seed: {seconds}."


SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...], Callable[[Any], str]], ...] = (
    ("EC's code", (("sims/ec_codes.py --weights models/weights/ec-minilm.safetensors", "ec_codes.json"),), codes),
    ("EC's code in the memory", (("sims/trained_code.py --seeds 0 1 2", "trained_code.json"),), recalled),
    (
        "SPMN, step 0: likeness of memory changes and events",
        (
            ("sims/write_similarity.py --cell spiking rate --seeds 0 1 2", "write_similarity.json"),
            (
                "sims/write_similarity.py --cell rate-v1 rate-v2 --seeds 0 1 2 --out results/write_similarity_v.json",
                "write_similarity_v.json",
            ),
        ),
        likeness,
    ),
    (
        "SPMN, step 1: what happened when, 8 sentences",
        (("sims/slots.py --cell spiking rate --seeds 0 1 2", "slots.json"),),
        slots,
    ),
    ("SPMN, spiking against rate, gate by gate", (("sims/spmn_gates.py", "spmn_gates.json"),), gates),
    ("SPMN, step 2: the bAbI tasks", (("sims/babi.py --seeds 0 1 2", "babi"),), stories),
    ("The gates in the hippocampus: what is written", (("sims/gated_stream.py", "gated_stream.json"),), stream),
    ("The gates in the hippocampus: what is read out", (("sims/gated_reading.py", "gated_reading.json"),), reading),
)


def read(place: Path) -> Any:
    """A result file, or all outcomes in a folder; None where there is none."""
    if place.is_dir():
        return [json.loads(path.read_text()) for path in sorted(place.glob("*/outcome.json"))] or None
    return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None


def main() -> None:
    args = parser.parse_args()
    parts = [INTRODUCTION]
    for title, runs, section in SECTIONS:
        made, told = None, []
        for script, name in runs:
            place = args.results / name
            if (one := read(place)) is not None:
                made = one if made is None else made + one
                told.append(f"`python {script} --data DIR`, {datetime.fromtimestamp(place.stat().st_mtime, UTC):%Y-%m-%d}")
        if made is not None:
            parts.append("\n\n".join([f"## {title}", "  \n".join(told), f"{section(made)}\n"]))
    args.out.write_text("\n".join(parts), encoding="utf-8")
    print(args.out)


if __name__ == "__main__":
    main()
