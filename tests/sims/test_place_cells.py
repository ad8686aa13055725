"""The place cells' script on an invented recording in the form of the public one: what was planted is found."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from sims.papers import place_cells

DATA = Path(os.environ.get("SPIKEMEM_DATA", Path(__file__).parents[3] / "shared" / "data")) / "place_cells" / "nelpy_linear-track"
RUN, REST, CELLS = (10.0, 170.0), (175.0, 195.0), 12


def recording(folder: Path) -> None:
    """A rat that runs to and fro on a tilted track, 5 s a way with rests of 1 s at the ends, and cells that fire on the way out alone."""
    t = np.arange(0, 200, 1 / 60)
    way = t % 12
    place = np.interp(way, [0, 5, 6, 11, 12], [0, 1, 1, 0, 0])
    frames = np.zeros(len(t), place_cells.FRAME)
    frames["time"], frames["x"], frames["y"] = t * place_cells.CLOCK, 100 + 300 * place, 100 + 200 * place
    folder.mkdir(parents=True)
    (folder / "trajectory.videoPositionTracking").write_bytes(b"<Start settings>\nclockrate: 30000\n<End settings>\n" + frames.tobytes())
    rng, ms = np.random.default_rng(0), np.arange(0, 200, 0.001)
    where = np.interp(ms % 12, [0, 5], [0, 1], right=-1.0)
    centres, units = np.linspace(0.1, 0.9, CELLS), np.empty((1, CELLS), object)
    theta = 1 + np.cos(2 * np.pi * 8.0 * ms)
    for cell, centre in enumerate(centres):
        fired = rng.random(len(ms)) < 0.02 * theta * np.exp(-((where - centre) ** 2) / 0.01) * (where >= 0)
        units[0, cell] = {"time": ms[fired][:, None]}
    savemat(folder / "spikes.mat", {"spikes": units})


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> place_cells.Session:
    folder = tmp_path_factory.mktemp("data") / "track"
    recording(folder)
    patch = pytest.MonkeyPatch()
    patch.setattr(place_cells, "RUN", RUN)
    patch.setattr(place_cells, "REST", REST)
    made = place_cells.load(folder)
    patch.undo()
    return made


def test_an_invented_recording_is_read(session: place_cells.Session) -> None:
    assert session.trains.spikes.size == CELLS
    assert len(session.place) == session.trains.steps == 160_000
    assert session.lap.max() + 1 == pytest.approx(2 * 160 / 12, abs=2)
    assert 0.3 < (session.heading > 0).mean() < 0.45
    assert 0.3 < (session.heading < 0).mean() < 0.45


def test_decoding_finds_the_rat_and_permuted_cells_do_not(session: place_cells.Session) -> None:
    out = session._replace(heading=np.maximum(session.heading, 0), lap=np.where(session.heading > 0, session.lap, -1))
    assert np.median(place_cells.decoded(out, 250.0)) < 0.05
    assert np.median(place_cells.decoded(out, 250.0, shuffled=0)) > 0.1


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no {DATA}: the recording (docs/data.md says where to get it)")
def test_the_rats_figures_are_those_of_the_page() -> None:
    session = place_cells.load(DATA)
    assert session.trains.spikes.size == 31
    assert np.median(place_cells.decoded(session, 250.0)) == pytest.approx(0.055, abs=0.002)
    assert np.median(place_cells.decoded(session, 250.0, shuffled=0)) > 0.2
