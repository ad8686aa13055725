"""The limit of the spike-based content-addressable memory, and a forgetting rule without it.

Every cue learns a random content, then another one in its place, then each is recalled once, at the advertised spacing: 7 ms after a
learning, 6 ms after a recall. A recall is exact where the content that comes out 6 ms later is the last one learned, bit for bit.

The published rule (Casanueva-Morato et al. 2023) leaves extra bits, and not of what a cue held before: its STDP window (3 ms) reaches
into the next operation, 6 to 10 ms later, so that a cue gains 1.9 nA onto each bit of its neighbour's content, and two such neighbours
make a synapse that fires. What a cue did hold is unlearned well: it is evoked in the midst of the next learning, and coincidence
depresses.

The bistable rule ("spike-cam:bistable") learns in a window as short as the operation, tau 1 ms, and lets each weight drift to the nearer
of its two bounds at .5 nA/ms, so that what still leaks is gone before it can add up; no other number changes.

    tau_plus = tau_minus = 1 ms, a_plus = 12,   w <- w + .5 dt where w > 3 nA, w - .5 dt elsewhere, in [0, 6]

In the animal: a potentiation window that is a small part of the spacing between items (17 ms against a theta cycle: Bi & Poo 1998), and
all-or-none synapses whose intermediate weights do not last (Fusi, Annunziato, Badoni, Salamon & Amit 2000; Brader, Senn & Fusi 2007;
O'Connor, Wittenberg & Wang 2005 for CA3-CA1). The drift is far faster here than there, as is everything else in this network.

    python sims/papers/spike_cam_overwriting.py --seed 0
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem import load_network, simulate

LEARNING = 3  # steps in which cue and content spike together
ANSWER = 6  # ms from a cue to its content
FILLS = 6
DENSITY = 0.3  # of ones in a content
SIZES = ((5, 10), (16, 16), (32, 32))
SPACINGS = ((7, 6), (8, 8), (10, 10))  # ms after a learning, after a recall
RULES = ("spike-cam", "spike-cam:bistable")


def contents_of(rng: np.random.Generator, cues: int, bits: int) -> NDArray[np.bool_]:
    """A random content for each cue, none of them empty, [fill, cue, bit]."""
    drawn = rng.random((FILLS, cues, bits)) < DENSITY
    empty = ~drawn.any(axis=2)
    drawn[empty, rng.integers(bits, size=empty.sum())] = True
    return drawn


def overwrite(rule: str, cues: int, bits: int, spacing: tuple[int, int], seed: int, simulator: str = "event") -> dict[str, Any]:
    """Fill, overwrite, recall, in independent fills side by side; counts, and the weights of the first fill."""
    rng = np.random.default_rng(seed)
    old, new = contents_of(rng, cues, bits), contents_of(rng, cues, bits)
    steps = 2 * cues * spacing[0] + cues * spacing[1] + 2 * ANSWER
    cue_in, content_in = np.zeros((steps, FILLS, cues), bool), np.zeros((steps, FILLS, bits), bool)
    for operation in range(2 * cues):
        cue, learned = operation % cues, old if operation < cues else new
        start = operation * spacing[0]
        cue_in[start : start + LEARNING, :, cue] = True
        content_in[start : start + LEARNING] = learned[:, cue]
    recall_steps = 2 * cues * spacing[0] + np.arange(cues) * spacing[1]
    cue_in[recall_steps, :, np.arange(cues)] = True
    net = load_network(rule).network(cues=cues, contents=bits)
    recording = simulate(net, {"CueIn": cue_in, "ContIn": content_in}, steps, simulator=simulator)
    out = recording["OutCont"].dense(steps, FILLS)[recall_steps + ANSWER].transpose(1, 0, 2)  # [fill, cue, bit]
    return {
        "rule": rule, "cues": cues, "contents": bits, "spacing": list(spacing), "seed": seed, "n": FILLS * cues,
        "exact": int((out == new).all(axis=2).sum()), "extra": int((out & ~new).sum()), "missing": int((~out & new).sum()),
        "weights": recording.weights["CueCue->ContCue"][0].round(3).tolist(), "wanted": new[0].astype(int).tolist(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from --seed on")
    parser.add_argument("--simulator", default="event", help="event, torch, snntorch or brian2")
    parser.add_argument("--out", type=Path, default=Path("results/spike_cam_overwriting.json"))
    args = parser.parse_args()
    rows = []
    print(f"{'rule':>20} {'cues x bits':>12} {'spacing':>8} {'exact':>12} {'share':>6} {'extra':>6} {'missing':>8}")
    for rule in RULES:
        for cues, bits in SIZES:
            for spacing in SPACINGS:
                print(f"{rule}, {cues} x {bits}, {spacing[0]}/{spacing[1]} ms ...", end="\r", file=sys.stderr)
                made = [overwrite(rule, cues, bits, spacing, args.seed + i, args.simulator) for i in range(args.seeds)]
                rows += made
                exact, n, extra, missing = (sum(r[key] for r in made) for key in ("exact", "n", "extra", "missing"))
                size, gap = f"{cues} x {bits}", f"{spacing[0]}/{spacing[1]}"
                print(f"{rule:>20} {size:>12} {gap:>8} {exact:>5} of {n:>3} {exact / n:>6.3f} {extra:>6} {missing:>8}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"rows": rows}), encoding="utf-8")
    print(f"wrote {args.out}; draw it with analysis/papers/spike_cam_overwriting.py")


if __name__ == "__main__":
    main()
