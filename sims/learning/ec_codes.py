"""Cosine against spikes for EC's codes, on sentences of other sources than those that the trained one learned from.

    python sims/learning/ec_texts.py --data ../shared/data
    python sims/learning/ec_codes.py --data ../shared/data --texts results/ec_texts --penalties 1e-5 3e-5 1e-4 --seeds 0 1 2

The analytic ON/OFF code over its charge, the latency code over the width of its ramp's step, the z-score code over k, and the trained code
over the penalty of a spike, measured on LoCoMo's turns, STS-B's sentences and HotpotQA's passages. A code's `neighbour` is the share of
texts whose nearest other text stays the nearest. Trainings are kept beside the result file. Writes results/ec_codes.json.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.progress import Progress

from spikemem.data.datasets import hotpotqa, locomo, stsb
from spikemem.hippocampus.codes import Code, LatencyCode, VolleyCode, ZScoreCode, fidelity, on_off
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder
from spikemem.training import ec

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--texts", type=Path, default=Path("results/ec_texts"), help="folder of the sentences to train on")
parser.add_argument("--weights", type=Path, nargs="*", default=[], help="trained codes to measure, too")
parser.add_argument("--penalties", type=float, nargs="*", default=[1e-5, 3e-5, 1e-4])
parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
parser.add_argument("--epochs", type=int, default=ec.SETTINGS.epochs)
parser.add_argument("--sentences", type=int, default=2000, help="of each source")
parser.add_argument("--out", type=Path, default=Path("results/ec_codes.json"))

CHARGES = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.4, 2.8, 3.2, 4.0)
WIDTHS = (0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3)
WINNERS = (20, 40, 80, 120, 160, 200, 250, 300, 384)


def main() -> None:
    args = parser.parse_args()
    embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
    held = {
        load.__name__: embedder.embed(list(dict.fromkeys(t for task in load(args.data) for t in task.embedded))[: args.sentences])
        for load in (locomo, stsb, hotpotqa)
    }
    made: list[tuple[str, float, int | None, Code, float | None]] = [
        *(("analytic", charge, None, on_off(embedder.dim, charge), None) for charge in CHARGES),
        *(("latency", width, None, LatencyCode(embedder.dim, width), None) for width in WIDTHS),
        *(("z-score", k, None, ZScoreCode(embedder.dim, k), None) for k in WINNERS),
        *((f"shipped: {path.stem}", 0.0, None, VolleyCode.load(path), None) for path in args.weights),
    ]
    if args.penalties and args.seeds:
        if not any(args.texts.glob("*.txt")):
            sys.exit(f"error: no texts to learn from in {args.texts}; make them with ec_texts.py, or name a folder with --texts")
        lines = [line for file in sorted(args.texts.glob("*.txt")) for line in file.read_text(encoding="utf-8").splitlines()]
        vectors = embedder.embed(list(dict.fromkeys(lines)))
        made += [("trained", penalty, seed, *learned(args, vectors, penalty, seed)) for penalty in args.penalties for seed in args.seeds]
    rows = []
    for kind, parameter, seed, code, seconds in made:
        for source, x in held.items():
            row = {"code": kind, "parameter": parameter, "seed": seed, "seconds": seconds, "source": source, **asdict(fidelity(code, x))}
            rows.append(row)
            told = f"{row['cosine']:.4f} at {row['spikes']:5.0f} spikes, dead {row['dead']:.3f}, neighbour {row['neighbour']:.3f}"
            print(f"{kind:>10} {parameter:<8g} {'' if seed is None else seed!s:>2} {source:>9}  {told}")
    args.out.write_text(json.dumps({"sentences": args.sentences, "rows": rows}, indent=1))


def learned(args: argparse.Namespace, vectors: np.ndarray, penalty: float, seed: int) -> tuple[VolleyCode, float]:
    """A trained code, and the seconds that it took; its training goes on where it was stopped."""
    folder = args.out.parent / "ec_codes" / f"penalty-{penalty:g}-seed-{seed}-epochs-{args.epochs}"
    settings = replace(ec.SETTINGS, seed=seed, epochs=args.epochs, checkpoint=folder)
    with Progress(transient=True) as bar:
        task = bar.add_task(f"penalty {penalty:g}, seed {seed}", total=None)
        trained = ec.train(vectors, settings, penalty, progress=lambda done, total: bar.update(task, completed=done, total=total))
    return trained.code, trained.first.seconds + trained.then.seconds


if __name__ == "__main__":
    main()
