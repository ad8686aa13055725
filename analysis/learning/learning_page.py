"""The page of what was learned, docs/learning.md, from what the measuring scripts wrote.

    (the commands that the page names)
    python analysis/learning/learning_page.py

What has not been measured is left out.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spikemem.training.babi import COMPANY, ENTNET, MEMN2N

SHOWN = 0.98
"""The least cosine of a code in the table."""
INTRODUCTION = """# What was learned

Made by `python analysis/learning/learning_page.py` from what the commands below wrote. Seconds are of two shared
cores, for orientation alone.
"""
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--results", type=Path, default=Path("results"))
parser.add_argument("--out", type=Path, default=Path("docs/learning.md"))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown; the first column is words."""
    lines = [f"| {' | '.join(columns)} |", f"| :-- |{' --: |' * (len(columns) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def blank(value: float | None, form: str = "") -> str:
    """A number in its form, or nothing where there is none."""
    return "" if value is None else format(value, form)


def codes(made: Any) -> str:
    groups: dict[tuple[str, float, int | None], dict[str, Any]] = {}
    for row in made["rows"]:
        groups.setdefault((row["code"], row["parameter"], row["seed"]), {})[row["source"]] = row
    rows = []
    for (code, parameter, seed), by_source in groups.items():
        of = list(by_source.values())
        if min(r["cosine"] for r in of) >= SHOWN:
            cosines = (f"{r['cosine']:.4f}" for r in of)
            spikes, dead = sum(r["spikes"] for r in of) / len(of), max(r["dead"] for r in of)
            rows.append((code, f"{parameter:g}", blank(seed), *cosines, f"{spikes:.0f}", f"{dead:.1%}", blank(of[0]["seconds"], ".0f")))
    columns = ("code", "parameter", "seed", *(f"cosine, {source}" for source in by_source), "spikes", "dead cells", "seconds")
    note = (
        f"Parameter: a spike's price (trained), the charge (analytic), the width (latency). {made['sentences']:,} texts a source,\n"
        f"of which none had a part in training. Codes below a cosine of {SHOWN:g} are in the figure alone."
    )
    return f"{table(columns, rows)}\n\n{note}"


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
        "Correlation of the cosines of memory changes with those of events, and the mean of their differences, on pairs that were not\n"
        "learned from; untrained: of the same network before its first step, whose synapses are random projections, which keep likeness.\n"
        "What is learned shows in the difference. rate-v1 and rate-v2 are the published cells, mended, trained as the others."
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


def facts(made: Any) -> str:
    shares = ("write", "supersede", "refresh", "renew", "recalled")
    rows = [(r["kind"], r["n"], *(f"{r[share]:.2f}" for share in shares)) for r in made["rows"]]
    note = (
        "Pairs of sentences that were written for this and taught to nothing, in three memories. What is written stands beside the first;\n"
        "what supersedes it leaves it in the history; what refreshes it is a further wording of it. Recalled: asked in its own words,\n"
        "the second sentence itself is what comes first. Figure, order: of another figure, or of the same words in another order."
    )
    return f"{table(('the second is', 'n', 'written', 'superseded', 'refreshed', 'renewed', 'recalled'), rows)}\n\n{note}"


def reading(made: Any) -> str:
    shares = ("answered", "from", "to", "right@5", "right@5, open")
    rows = [(r["questions"], f"{r['n']:,}", *(f"{r[name]:.3f}" for name in shares)) for r in made["rows"]]
    note = (
        "Answered: the share of the questions for which the read gate opens, with its 95 % Wilson interval. Right@5: one of the first\n"
        "five hits is right; open: would be, had the gate been open. The adversarial ones ask for what the other speaker said."
    )
    return f"{table(('questions', 'n', *shares), rows)}\n\n{note}"


def learned(made: Any) -> str:
    kinds = list(made[0]["held_out"])
    rows = [
        (r["seed"], f"{r['lessons']:,}", r["best"], f"{r['seconds']:.0f}", *(f"{r['held_out'][kind]['wrong']:.1%}" for kind in kinds))
        for r in made
    ]
    note = (
        "Lessons of the project's own texts that were not taught and are decided otherwise, by what should be done; they also decide\n"
        "which epoch's weights are taken. Seconds of the training alone. The weights that ship are those of seed 0."
    )
    return f"{table(('seed', 'lessons', 'best epoch', 'seconds', *kinds), rows)}\n\n{note}"


def stream(made: Any) -> str:
    actions = ("write", "supersede", "refresh", "renew")
    rows = []
    for r in made["rows"]:
        right = f"{r['right']:.2%}" if "right" in r else ""
        rows.append((r["stream"], r["kind"], r["n"], *(f"{r[a]:.2%}" for a in actions), right))
    seconds = "; ".join(f"{name} {', '.join(f'{s:.0f}' for s in by_seed)}" for name, by_seed in made["seconds"].items())
    columns = ("stream", "event", "n", "written", "superseded", "refreshed", "renewed", "right")
    note = (
        "Right: as it should be, and done to the memory that it should be done to. Near: new, but nearer than cosine .9 to one before.\n"
        "What contradicts or stands beside differs by a word of the classes that were taught, in sentences that were not; a question\n"
        "asks whether what was told is so (few turns of LoCoMo can be asked for by the edits)."
    )
    told = f"Seconds of storing, in which what two sentences differ by is embedded, a stream a seed: {seconds}."
    return f"{table(columns, rows)}\n\n{note}\n{told}"


def circuit(made: Any) -> str:
    cosines = sorted({r["cosine"] for r in made["rows"]}, reverse=True)
    by = {(r["kind"], r["seed"], r["cosine"]): r for r in made["rows"]}
    rows = []
    for kind, seed in dict.fromkeys((r["kind"], r["seed"]) for r in made["rows"]):
        spikes = by[kind, seed, cosines[0]].get("spikes", {})
        misses, drawn = (1 - by[k, seed, cosines[-1]]["own"] for k in (kind, "drawn"))
        own = (f"{by[kind, seed, cosine]['own']:.4f}" for cosine in cosines)
        rows.append((kind, seed, *own, f"{misses / drawn:.2f}", f"{sum(spikes.values()):,.0f}" if spikes else ""))
    columns = ("synapses of DG", "seed", *(f"own, cosine {cosine}" for cosine in cosines), f"misses at {cosines[-1]}", "spikes")
    note = (
        f"{made['memories']:,} sentences of STS-B, HotpotQA, LoCoMo and MRPC in 16,384 cells, {made['cues']:,} cues; trained on\n"
        "LongMemEval's sentences. Own: the cue's memory is recalled first; nearest: the cue is nearest to its own vector. Misses: a share\n"
        "of those with drawn synapses. Spikes: of EC, DG and CA3 in a recall of one memory, in a simulation. Not counted are synaptic\n"
        "events: a trained DG, driven by all 384 dimensions in the place of 8, has 48 times as many from EC. Learned are gains of 16\n"
        "bands of principal axes alone. CA3's inhibition was not learned but chosen by hand, on cues to these same sentences; so was\n"
        "the form of what is learned, so that the figures are not those of a blind test."
    )
    return f"{table(columns, rows)}\n\n{note}"


class Section(NamedTuple):
    """A part of the page.

    runs: commands, and what each wrote, "" where that is what the one before it wrote to.   tell: makes the section's text of that.
    picture: file and caption.
    """

    title: str
    runs: tuple[tuple[str, str], ...]
    tell: Callable[[Any], str]
    picture: tuple[str, str] | None = None


SECTIONS = (
    Section(
        "EC's code",
        (("sims/learning/ec_codes.py --weights models/weights/ec-minilm.safetensors --data DIR", "ec_codes.json"),),
        codes,
        ("ec_codes.png", "Cosine against spikes, for four codes"),
    ),
    Section("EC's code in the memory", (("sims/memory/trained_code.py --seeds 0 1 2 --data DIR", "trained_code.json"),), recalled),
    Section(
        "The engram circuit, end to end",
        (("sims/learning/hippocampus.py --kinds drawn trained --data DIR", "hippocampus.json"),),
        circuit,
    ),
    Section(
        "SPMN, step 0: likeness of memory changes and events",
        (
            ("sims/learning/write_similarity.py --cell spiking rate --seeds 0 1 2 --data DIR", "write_similarity.json"),
            (
                "sims/learning/write_similarity.py --cell rate-v1 rate-v2 --seeds 0 1 2 --out results/write_similarity_v.json --data DIR",
                "write_similarity_v.json",
            ),
        ),
        likeness,
        ("write_similarity.png", "Memory change against event similarity, a point for each held-out pair of sentences"),
    ),
    Section(
        "SPMN, step 1: what happened when, 8 sentences",
        (
            ("sims/learning/slots.py --cell spiking rate --seeds 0 1 2 --data DIR", "slots.json"),
            ("sims/learning/slots.py --cell rate-v1 rate-v2 --seeds 0 1 2 --out results/slots_v.json --data DIR", "slots_v.json"),
        ),
        slots,
    ),
    Section("SPMN, spiking against rate, gate by gate", (("sims/learning/spmn_gates.py --data DIR", "spmn_gates.json"),), gates),
    Section(
        "SPMN, step 2: the bAbI tasks",
        (
            ("sims/papers/babi.py --seeds 0 1 2 --data DIR", "babi"),
            ("sims/papers/babi.py --tasks 3 --epochs 30 --seeds 0 1 2 --data DIR", ""),
        ),
        stories,
        ("babi.png", "Errors in the twenty bAbI tasks, spiking cell, rate twin, MemN2N and EntNet"),
    ),
    Section("The gates in the hippocampus: what they learn", (("sims/learning/gate_training.py", "gate_training.json"),), learned),
    Section(
        "The gates in the hippocampus: what is written",
        (("sims/memory/gated_stream.py --data DIR", "gated_stream.json"),),
        stream,
        ("gated_stream.png", "The share of each gate's cells that fired, over the sentences of a stream, and what was decided"),
    ),
    Section("The gates in the hippocampus: pairs of facts", (("sims/memory/gated_facts.py", "gated_facts.json"),), facts),
    Section(
        "The gates in the hippocampus: what is read out", (("sims/memory/gated_reading.py --data DIR", "gated_reading.json"),), reading
    ),
)


def read(place: Path) -> Any:
    """A result file, or all outcomes in a folder; None where there is none."""
    if place.is_dir():
        return [json.loads(path.read_text()) for path in sorted(place.glob("*/outcome.json"))] or None
    return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None


def main() -> None:
    args = parser.parse_args()
    parts = [INTRODUCTION]
    for title, runs, tell, picture in SECTIONS:
        made, told = None, []
        for script, name in runs:
            if not name:
                told.append(f"`python {script}`")
            elif (one := read(args.results / name)) is not None:
                made = one if made is None else made + one
                told.append(f"`python {script}`")
        if made is not None:
            shown = [f"![{picture[1]}]({picture[0]})"] if picture and (args.out.parent / picture[0]).is_file() else []
            parts.append("\n\n".join([f"## {title}", "  \n".join(told), tell(made), *shown]) + "\n")
    args.out.write_text("\n".join(parts), encoding="utf-8")
    print(args.out)


if __name__ == "__main__":
    main()
