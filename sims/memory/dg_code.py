"""Dentate gyrus on real sentences: the code from spikes beside the code from rates, dead granule cells, and recall of evidence.

    python sims/memory/dg_code.py --data ../shared/data

Reads LoCoMo (Maharana 2024) and STS-B (Cer 2017) from the folder (or from SPIKEMEM_DATA); docs/data.md says where to get them. Each
LoCoMo conversation is a memory of its own; a question counts where one of its evidence turns is among the first ten, for exact cosine of
the same embeddings and for the spiking circuit. Prints a table and writes results/dg_code.json.
"""

import argparse
import csv
import json
import os
from pathlib import Path

import numpy as np
from rich.progress import track

from spikemem import Hippocampus, load_model
from spikemem.memory.embed import SentenceEmbedder

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--model", default="hippocampus-base")
parser.add_argument("--sentences", type=int, default=5000, help="for overlap and dead cells")
parser.add_argument("--top-k", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/dg_code.json"))


def sentences(data: Path) -> list[str]:
    """Turns of conversations, then STS-B's sentences: two sources, one after the other."""
    said = [turn["text"] for sample in json.loads((data / "locomo/locomo_dev.json").read_text()) for turn in turns(sample)]
    with (data / "stsbenchmark/sts-train.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return list(dict.fromkeys(said + [s for row in rows for s in row[5:7]]))


def turns(sample: dict) -> list[dict]:
    talk = sample["conversation"]
    names = sorted((k for k in talk if k.startswith("session_") and not k.endswith("_date_time")), key=lambda k: int(k.split("_")[1]))
    return [turn for name in names for turn in talk[name]]


def main() -> None:
    args = parser.parse_args()
    if not (args.data / "locomo/locomo_dev.json").is_file():
        raise SystemExit(f"no LoCoMo in {args.data}; give --data or set SPIKEMEM_DATA (docs/data.md says where to get it)")
    spec, embedder = load_model(args.model), SentenceEmbedder()
    vectors = embedder.embed(sentences(args.data)[: args.sentences])
    memory = Hippocampus(spec, seed=args.seed)
    memory.store(vectors)
    dg = memory.circuit.dg
    codes = memory.engrams(np.arange(len(vectors)))
    rate = np.concatenate([dg.rate_code(part) for part in np.array_split(vectors, 20)])
    shared = np.mean([len(np.intersect1d(a, b)) / len(a) for a, b in zip(codes, rate, strict=True)])
    used = np.bincount(codes.ravel(), minlength=spec.dg.cells)
    result = {
        "sentences": len(vectors), "overlap_with_rate_code": float(shared), "dead_cells": int((used == 0).sum()),
        "busiest_cell": int(used.max()), "mean_use": float(used.mean()),
    }  # fmt: skip
    hits = np.concatenate([conversation(s, spec, embedder, args) for s in track(samples(args.data), "LoCoMo", transient=True)])
    cosine, spiking = hits.mean(axis=0)
    result |= {"questions": len(hits), f"cosine@{args.top_k}": float(cosine), f"spiking@{args.top_k}": float(spiking)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1))
    for name, value in result.items():
        print(f"{name:>24}  {value:,.4f}" if isinstance(value, float) else f"{name:>24}  {value:,}")


def samples(data: Path) -> list[dict]:
    return json.loads((data / "locomo/locomo_dev.json").read_text())


def conversation(sample: dict, spec, embedder: SentenceEmbedder, args: argparse.Namespace) -> np.ndarray:
    """For each question with evidence whether cosine and the circuit found it, bool, [question, 2]."""
    said = turns(sample)
    ids = [turn["dia_id"] for turn in said]
    vectors = embedder.embed([f"{turn['speaker']}: {turn['text']}" for turn in said])
    questions = [q for q in sample["qa"] if q["evidence"]]
    cues = embedder.embed([q["question"] for q in questions])
    memory = Hippocampus(spec, seed=args.seed)
    memory.store(vectors)
    answers = (np.argsort(-cues @ vectors.T, axis=1)[:, : args.top_k], memory.recall(cues, args.top_k).ids)
    found = [[any(ids[i] in q["evidence"] for i in row) for row in rows] for q, *rows in zip(questions, *answers, strict=True)]
    return np.array(found)


if __name__ == "__main__":
    main()
