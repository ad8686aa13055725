"""The gates over a stream of sentences, from results/gated_stream.json.

    python analysis/memory/gated_stream.py
    python analysis/memory/gated_stream.py --data results/gated_stream_own.json --out docs/gated_stream.png

The second is of `python sims/memory/gated_stream.py --data none --turns 400 --out results/gated_stream_own.json`, on the project's own
texts.

Draws results/gated_stream.png: for some events in their order the share of each gate's cells that fired, with the sentence, what it is to
those before it, what was decided, and what was superseded; and below, what was decided for each kind of event.
"""

import argparse
import json
import textwrap
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

GATES = ("update", "reset", "candidate", "read")
ACTIONS = {"write": "#4477aa", "supersede": "#aa3377", "refresh": "#228833", "renew": "#ccbb44"}
KINDS = ("new", "repeat", "paraphrase", "contradiction", "beside", "question")
WIDTH = 76

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/gated_stream.json"), help="what sims/memory/gated_stream.py wrote")
parser.add_argument("--stream", default="contradictions", help="which of its streams")
parser.add_argument("--first", type=int, default=200, help="the first event that is drawn")
parser.add_argument("--events", type=int, default=28, help="how many of them")
parser.add_argument("--out", type=Path, default=Path("results/gated_stream.png"))


def shortened(text: str, width: int) -> str:
    return textwrap.shorten(text.replace("$", r"\$"), width, placeholder=" ...")


def changed(before: str, after: str) -> str:
    """What a text says no more, or, where it says all, what it says besides."""
    a, b = before.split(), after.split()
    parts = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    lost, new = (
        [" ".join(words) for words in some if words]
        for some in zip(*((a[i:j], b[k:m]) for what, i, j, k, m in parts if what != "equal"), strict=True)
    )
    return f"was: {' ... '.join(lost)}" if lost else f"new: {' ... '.join(new)}"


def gates(axes: Axes, beside: Axes, events: list[dict[str, Any]]) -> None:
    """A row for each event: the gates' shares, and beside them what was decided, what it is to those before, and the sentence."""
    shares = [[event.get(gate, float("nan")) for gate in GATES] for event in events]
    axes.imshow(shares, aspect="auto", cmap="Greys", vmin=0, vmax=1, extent=(0, len(GATES), len(events), 0))
    axes.set_xticks([g + 0.5 for g in range(len(GATES))], GATES, fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    beside.set_axis_off()
    beside.set(xlim=(0, 1), ylim=(len(events), 0))
    for i, event in enumerate(events):
        superseded = event.get("superseded")
        said = shortened(event["text"], WIDTH)
        beside.text(0.0, i + 0.5, event["action"], color=ACTIONS[event["action"]], va="center", fontsize=8, weight="bold")
        beside.text(0.1, i + 0.5, event["kind"], va="center", fontsize=8, color="0.4")
        beside.text(0.225, i + 0.5, said, va="center", fontsize=8)
        if superseded is not None:
            was = shortened(changed(superseded, event["text"]), 32)
            beside.text(1.0, i + 0.5, was, va="center", ha="right", fontsize=8, color="0.4", style="italic")
        axes.axhline(i, color="w", linewidth=1)


def decided(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """For each kind of event, how often each action was decided."""
    left = [0.0] * len(rows)
    for action, colour in ACTIONS.items():
        width = [row[action] for row in rows]
        axes.barh(range(len(rows)), width, left=left, color=colour, label=action)
        left = [a + b for a, b in zip(left, width, strict=True)]
    axes.set_yticks(range(len(rows)), [f"{row['kind']} ({row['n']})" for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of events")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/memory/gated_stream.py first")
    result = json.loads(args.data.read_text())
    events = result["events"][args.stream][args.first : args.first + args.events]
    rows = [row for kind in KINDS for row in result["rows"] if row["stream"] == args.stream and row["kind"] == kind]
    figure = Figure(figsize=(12, 1.9 + 0.23 * len(events)), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[0.23 * len(events), 1.4], width_ratios=[1, 3.2])
    gates(figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1]), events)
    decided(figure.add_subplot(grid[1, :]), rows)
    figure.suptitle(f"What the gates make of a stream: cells that fired, of each gate's 32 ({result['source']})", fontsize=11)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()
