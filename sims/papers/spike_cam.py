"""A content-addressable memory of spiking cells, as published, on any input: cues recall contents, and contents cues.

    python sims/papers/spike_cam.py --out results/spike_cam.json --raster docs/spike_cam.png --draw CueIn ContIn OutCue OutCont
    python sims/papers/spike_cam.py --input experiment.json --out rows.json --raster raster.png --simulator brian2

After Casanueva-Morato et al. (2023), "Bio-inspired computational memory model of the Hippocampus: an approach to a neuromorphic
spike-based Content-Addressable Memory". Without --input three cues learn a content each, then each recalls its own, and a bit of a content
recalls its cues. An input holds {"cues", "contents", "steps", "input_cue_spikes_ms": [[ms, ...] for each cue],
"input_content_spikes_ms": [...]}; the output is the same with "rows": which cells of each population spiked in each millisecond. To learn,
spike a cue and its content in three successive steps; to recall, spike a cue once, or bits of a content.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem import Recording, load_network, plots, simulate
from spikemem.errors import SpikememError

EXAMPLE = {
    "cues": 3,
    "contents": 5,
    "steps": 50,
    "input_cue_spikes_ms": [[0, 1, 2, 21], [7, 8, 9, 27], [14, 15, 16, 33]],
    "input_content_spikes_ms": [[0, 1, 2, 39], [0, 1, 2, 7, 8, 9], [7, 8, 9], [14, 15, 16], [14, 15, 16]],
}
"""Three learnings at the advertised spacing of 7 ms, then recalls every 6 ms: by each cue, and by the first bit of the first content."""

KEYS = ("cues", "contents", "steps", "input_cue_spikes_ms", "input_content_spikes_ms")


def trains(times: Any, cells: int, steps: int, name: str) -> NDArray[np.bool_]:
    """Spike times of each cell as teacher-forced spikes, [time, cell]."""
    if not isinstance(times, list) or len(times) != cells or not all(isinstance(at, list) for at in times):
        raise SystemExit(f"{name}: expected a list of times for each of {cells} cells")
    spikes = np.zeros((steps, cells), bool)
    for cell, at in enumerate(times):
        if any(type(t) is not int or not 0 <= t < steps for t in at):
            raise SystemExit(f"{name}: cell {cell} spikes at {at}; expected whole milliseconds from 0 to {steps - 1}")
        spikes[at, cell] = True
    return spikes


def run(experiment: dict[str, Any], model: str = "spike-cam", simulator: str = "event") -> Recording:
    """Simulate an experiment."""
    if not isinstance(experiment, dict):
        raise SystemExit("the input is no JSON object")
    missing = [key for key in KEYS if key not in experiment]
    if missing:
        raise SystemExit(f"the input lacks {', '.join(missing)}")
    for key in KEYS[:3]:
        if type(experiment[key]) is not int or experiment[key] < 1:
            raise SystemExit(f"{key} is {experiment[key]!r}; expected a whole number, at least 1")
    cues, contents, steps = experiment["cues"], experiment["contents"], experiment["steps"]
    stimulus = {
        "CueIn": trains(experiment["input_cue_spikes_ms"], cues, steps, "input_cue_spikes_ms"),
        "ContIn": trains(experiment["input_content_spikes_ms"], contents, steps, "input_content_spikes_ms"),
    }
    return simulate(load_network(model).network(cues=cues, contents=contents), stimulus, steps, simulator=simulator)


def rows(recording: Recording) -> list[dict[str, list[int]]]:
    """For each step the cells of each population that spiked, inputs left out."""
    table: list[dict[str, list[int]]] = [{name: [] for name in recording.spikes if not name.endswith("In")} for _ in range(recording.steps)]
    for name in table[0]:
        spikes = recording[name]
        for step, cell in zip(spikes.step.tolist(), spikes.cell.tolist(), strict=True):
            table[step][name].append(cell)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, help="the experiment, JSON; one of three cues without")
    parser.add_argument("--out", type=Path, required=True, help="where the rows go, JSON")
    parser.add_argument("--raster", type=Path, help="where the picture goes; beside --out by default")
    parser.add_argument("--draw", nargs="+", metavar="POPULATION", help="what the picture shows; all by default")
    parser.add_argument("--model", default="spike-cam", help='network file or name; "spike-cam:bistable" forgets better')
    parser.add_argument("--simulator", default="event", help="event, torch, snntorch, norse or brian2")
    args = parser.parse_args()
    try:
        experiment = json.loads(args.input.read_text(encoding="utf-8")) if args.input else EXAMPLE
    except (OSError, ValueError) as error:
        sys.exit(f"{args.input} cannot be read as JSON: {error}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        recording = run(experiment, args.model, args.simulator)
    except SpikememError as error:
        sys.exit(f"{args.model} in {args.simulator}: {error}")
    made = rows(recording)
    args.out.write_text(json.dumps({**experiment, "rows": made}), encoding="utf-8")
    picture = args.raster or args.out.with_suffix(".png")
    names = args.draw or ["CueIn", "ContIn", *made[0]]
    plots.raster(recording, *names, title=f"{args.model} in {args.simulator}").savefig(picture, dpi=150)
    print(f"{len(made)} rows, {sum(len(cells) for row in made for cells in row.values())} spikes -> {args.out}, {picture}")
    if "rows" in experiment:
        given = [{name: sorted(cells) for name, cells in row.items()} for row in experiment["rows"]]
        equal = sum(row == wanted for row, wanted in zip(made, given, strict=False))
        print(f"{equal} of the {len(given)} rows given in the input are equal")
        sys.exit(equal != len(given))


if __name__ == "__main__":
    main()
