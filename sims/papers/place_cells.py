"""Place cells of a rat on a linear track: fields, Bayesian decoding and phase precession, from a public recording.

    python sims/papers/place_cells.py --data DIR --figures docs/engram_analysis

DIR holds `place_cells/nelpy_linear-track`: CA1 of a male Long-Evans rat, 31 units, 16 minutes of running and 17 of rest, recorded by Joshua
Chu (nelpy/example-data, MIT). No field potential came with it: theta is taken from the spikes of all other units,
which a unit's own cannot bias. Nor did a scale: lengths
are shares of the track. Fields after O'Keefe & Dostrovsky (1971) and Skaggs et al. (1993), decoding after Zhang et al. (1998), precession
after O'Keefe & Recce (1993) and Kempter et al. (2012).
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter1d

from spikemem import plots
from spikemem.engrams import (
    Precession,
    RateMaps,
    Replay,
    assemblies,
    bursts_of,
    decode,
    oscillation,
    place_fields,
    precession,
    remapping,
    replay,
)  # fmt: skip
from spikemem.instruments import Spikes, Trains

CLOCK = 30_000.0  # Hz, of the video's time stamps
FRAME = np.dtype([("time", "<u4"), ("x", "<u2"), ("y", "<u2"), ("x2", "<u2"), ("y2", "<u2")])
RUN, REST = (4425.0, 5375.0), (5390.0, 6365.0)  # s of the recording: on the track, and in the box
SMOOTH = 0.25  # s, of the position
LEAST_SPEED = 0.04  # of the track a second
ENDS = 0.05  # of the track, at either end, where the rat turns and eats
PLACES = 40  # of the track in each direction
LEAST_SPIKES = 50  # of a field whose precession is measured
WIDEST = 0.6  # of the track; who fires farther has no field there
LEAST_CELLS = 5  # with a field, in a burst that may replay
PERMUTED = 50  # times, the phases of a field
SIGNIFICANT = 0.01  # of a field's information

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of public data")
parser.add_argument("--figures", type=Path, help="the folder to draw pictures into")
parser.add_argument("--json", action="store_true", help="print the figures as JSON")
parser.add_argument("--bin", type=float, default=250.0, help="ms, of decoding")
parser.add_argument("--shuffles", type=int, default=200, help="of spikes against position")
parser.add_argument("--seed", type=int, default=0)


class Session(NamedTuple):
    """A run on the track, and the rest after it.

    trains, rest: of all units, dt 1 ms.   place: 0 to 1, [step].   heading: +1, -1, 0 at rest or turning, [step].
    lap: number of the pass, [step], -1 at rest.
    """

    trains: Trains
    rest: Trains
    place: NDArray[np.float64]
    heading: NDArray[np.int64]
    lap: NDArray[np.int64]

    def where(self, heading: int, laps: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """The place while the rat runs in a direction, [step], NaN elsewhere.   laps: those that count, [lap]."""
        kept = self.heading == heading
        if laps is not None:
            kept &= (self.lap >= 0) & laps[self.lap]
        return np.where(kept, self.place, np.nan)

    def both(self, laps: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Place and direction as one coordinate, 0 to 1 on the way out and 1 to 2 on the way back, [step]."""
        out, back = self.where(1, laps), self.where(-1, laps)
        return np.where(np.isnan(out), back + 1.0, out)


def units(path: Path) -> list[NDArray[np.float64]]:
    """The spike times of the units that fired, s; the file nests them by tetrode."""

    def walk(part: NDArray) -> list[NDArray[np.float64]]:
        if part.dtype.names and "time" in part.dtype.names:
            return [np.asarray(unit["time"], float).ravel() for unit in part.ravel()]
        return [times for inner in part.ravel() for times in walk(np.asarray(inner))] if part.dtype == object else []

    return [times for times in walk(loadmat(path)["spikes"]) if len(times)]


def load(folder: Path) -> Session:
    """The session, with the position along the track's long axis."""
    raw = (folder / "trajectory.videoPositionTracking").read_bytes()
    end = b"<End settings>\n"
    frames = np.frombuffer(raw[raw.index(end) + len(end) :], FRAME)
    time = frames["time"] / CLOCK
    on = (time >= RUN[0]) & (time < RUN[1])
    spot = np.stack([frames["x"][on], frames["y"][on]], 1).astype(float)
    axis = np.linalg.svd(spot - spot.mean(0), full_matrices=False)[2][0]
    along = (spot - spot.mean(0)) @ (axis * np.sign(axis[0]))
    low, high = np.percentile(along, [1, 99])
    step = RUN[0] + np.arange(round((RUN[1] - RUN[0]) * 1000)) / 1000.0
    place = gaussian_filter1d(np.interp(step, time[on], (along - low) / (high - low)), SMOOTH * 1000)
    speed = np.gradient(place) * 1000.0
    inside = (place > ENDS) & (place < 1 - ENDS)
    heading = (np.sign(speed) * (np.abs(speed) > LEAST_SPEED) * inside).astype(int)
    times = units(folder / "spikes.mat")
    return Session(trains_of(times, *RUN), trains_of(times, *REST), place, heading, laps(place, heading))


def trains_of(times: list[NDArray[np.float64]], start: float, stop: float) -> Trains:
    """Spike trains from `start` to `stop`, s, in steps of 1 ms."""
    steps = round((stop - start) * 1000)
    cell = np.repeat(np.arange(len(times)), [len(t) for t in times])
    step = np.floor((np.concatenate(times) - start) * 1000).astype(int)
    kept = (step >= 0) & (step < steps)
    order = np.lexsort((cell[kept], step[kept]))
    return Trains(Spikes(step[kept][order], np.zeros(kept.sum(), int), cell[kept][order], len(times)), dt=1.0, steps=steps)


def laps(place: NDArray[np.float64], heading: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of the pass that each step is in: a new one begins whenever the rat has reached the other end; -1 at rest."""
    end = np.where(place < ENDS, -1, np.where(place > 1 - ENDS, 1, 0))
    at = np.flatnonzero(end)
    changes = at[1:][np.diff(end[at]) != 0]
    number = np.searchsorted(changes, np.arange(len(place)), side="right")
    return np.where(heading != 0, number, -1)


def without(trains: Trains, cell: int) -> Trains:
    """The trains of all cells but one, which falls silent."""
    s = trains.spikes
    kept = s.cell != cell
    return Trains(Spikes(s.step[kept], s.batch[kept], s.cell[kept], s.size), trains.dt, trains.steps)


def decoded(session: Session, bin: float, shuffled: int | None = None) -> NDArray[np.float64]:
    """Distances of decoded from true places, of the track, in bins of running: even laps from maps of the odd ones, and the reverse.

    shuffled: a seed with which the maps' cells are permuted, for chance.
    """
    number = np.arange(session.lap.max() + 1)
    errors = []
    for half in (0, 1):
        test = number // 2 % 2 == half  # a pass out and the one back belong together
        maps = place_fields(session.trains, session.both(~test), np.linspace(0, 2, 2 * PLACES + 1))
        if shuffled is not None:
            order = np.random.default_rng([shuffled, half]).permutation(len(maps.rate))
            maps = maps._replace(rate=maps.rate[order])
        found = decode(session.trains, maps, bin)
        width = found.width
        true = session.both(test)[: len(found.time) * width].reshape(-1, width)
        ran = ~np.isnan(true).any(1)
        errors.append(np.abs(found.position[ran] % 1.0 - true[ran].mean(1) % 1.0))
    return np.concatenate(errors)


class Fitted(NamedTuple):
    """A field's precession.   cell: whose.   place: of each spike, 0 to 1 as the rat runs through.   phase: rad.   fit: of both."""

    cell: int
    place: NDArray[np.float64]
    phase: NDArray[np.float64]
    fit: Precession


def precessions(session: Session, maps: dict[int, RateMaps]) -> list[Fitted]:
    """The precession of each field with spikes enough; phases are those of theta in the spikes of all other units."""
    found = []
    for heading, of in maps.items():
        for field in of.fields():
            s = session.trains.spikes
            step = s.step[s.cell == field.cell]
            place = session.where(heading)[step]
            inside = (place >= field.start) & (place <= field.stop)
            if inside.sum() < LEAST_SPIKES or field.stop - field.start > WIDEST:
                continue
            x = (place[inside] - field.start) / (field.stop - field.start)
            phase = oscillation(without(session.trains, field.cell), bin=5.0).at(step[inside] + 0.5)
            x = x if heading > 0 else 1 - x
            found.append(Fitted(field.cell, x, phase, precession(x, phase)))
    return found


def replays(session: Session, maps: RateMaps, shuffles: int, seed: int) -> Replay:
    """Population bursts of rest, and how well they replay the order of the places of one direction, beside permuted cells."""
    speed = float(np.abs(np.gradient(session.place))[session.heading != 0].mean() * 1000)
    place = np.where(maps.p < SIGNIFICANT, maps.peak, np.nan)
    return replay(session.rest, bursts_of(session.rest), place, speed, least=LEAST_CELLS, shuffles=shuffles, seed=seed)


class Measured(NamedTuple):
    """What was found.   told: the figures by name.   maps: by heading.   replayed: of the way out."""

    told: dict[str, float]
    maps: dict[int, RateMaps]
    precessing: list[Fitted]
    replayed: Replay


def measured(session: Session, bin: float, shuffles: int, seed: int) -> Measured:
    """All figures of a session."""
    edges = np.linspace(0, 1, PLACES + 1)
    maps = {h: place_fields(session.trains, session.where(h), edges, shuffles=shuffles, seed=seed) for h in (1, -1)}
    fields = [(f, maps[h].information[f.cell]) for h, of in maps.items() for f in of.fields() if of.p[f.cell] < SIGNIFICANT]
    error, by_chance = decoded(session, bin), decoded(session, bin, seed)
    own, rng = precessions(session, maps), np.random.default_rng(seed)
    permuted = [precession(one.place, rng.permutation(one.phase)).p < 0.05 for one in own for _ in range(PERMUTED)]
    slope, sure = np.array([one.fit.slope for one in own]), np.array([one.fit.p < 0.05 for one in own])
    turned = remapping(maps[1].rate, maps[-1].rate, seed=seed)
    replayed = {h: replays(session, of, shuffles, seed) for h, of in maps.items()}
    known = {h: ~np.isnan(of.r) for h, of in replayed.items()}
    told = {
        "units": len(maps[1].rate), "spikes on the track": len(session.trains.spikes), "laps": int(session.lap.max()) + 1,
        "running, s": float((session.heading != 0).sum() / 1000), "units with a field": len({f.cell for f, _ in fields}),
        "fields": len(fields), "median width of a field, of the track": float(np.median([f.stop - f.start for f, _ in fields])),
        "median information of these, bits a spike": float(np.median([bits for _, bits in fields])),
        "bins decoded": len(error), "median error, of the track": float(np.median(error)), "mean error": float(error.mean()),
        "median error, cells permuted": float(np.median(by_chance)), "mean error, cells permuted": float(by_chance.mean()),
        "theta, Hz": oscillation(session.trains, bin=5.0).peak, "fields with spikes enough for a slope": len(own),
        "of these precessing, p < .05": int((sure & (slope < 0)).sum()), "receding, p < .05": int((sure & (slope > 0)).sum()),
        "either, by chance (phases permuted)": len(own) * float(np.mean(permuted)),
        "median slope, cycles a field": float(np.median(slope)), "median slope where p < .05": float(np.median(slope[sure])),
        "correlation of the maps of both directions": float(np.nanmean(turned.spatial)), "the same, p": turned.p,
    }  # fmt: skip
    for h, name in ((1, "out"), (-1, "back")):
        told |= {f"bursts at rest with cells enough, {name}": int(known[h].sum())}
        told |= {f"of these replaying, p < .05, {name}": int(replayed[h].significant[known[h]].sum())}
        told |= {f"median compression, {name}": float(np.nanmedian(replayed[h].compression))}
    return Measured(told, maps, own, replayed[1])


def draw(session: Session, found: Measured, bin: float) -> dict[str, Figure]:
    """The figures by name."""
    odd = np.arange(session.lap.max() + 1) // 2 % 2 == 1
    span = slice(160_000, 250_000)  # ms
    of_odd = place_fields(session.trains, session.both(odd), np.linspace(0, 2, 2 * PLACES + 1))
    told = decode(session.trains.window(span.start, span.stop), of_odd, bin)
    best = min((one for one in found.precessing if one.fit.slope < 0), key=lambda one: one.fit.p)
    return {
        "place_fields": plots.place_fields(found.maps[1], found.maps[-1], names=("on the way out", "on the way back")),
        "decode": plots.decode(told, session.both(np.ones(len(odd), bool))[span], most=560),
        "precession": plots.precession(best.place, best.phase, best.fit, f"unit {best.cell}"),
        "remapping": plots.remapping(remapping(found.maps[1].rate, found.maps[-1].rate)),
        "oscillation": plots.oscillation(oscillation(session.trains, bin=5.0)),
        "assemblies": plots.assemblies(assemblies(session.trains, 25.0)), "replay": plots.replay(found.replayed),
    }  # fmt: skip


def main(args: argparse.Namespace) -> None:
    """Measure, print, draw."""
    session = load(args.data / "place_cells" / "nelpy_linear-track")
    found = measured(session, args.bin, args.shuffles, args.seed)
    print(json.dumps(found.told, indent=1) if args.json else "\n".join(f"{name}: {value:.4g}" for name, value in found.told.items()))
    if args.figures is not None:
        args.figures.mkdir(parents=True, exist_ok=True)
        for name, figure in draw(session, found, args.bin).items():
            figure.savefig(args.figures / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main(parser.parse_args())
