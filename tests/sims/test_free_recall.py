"""Free recall beside people: what the protocol measures, on a few invented lists, and what it prints and draws."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sims.papers import free_recall as sim
from spikemem.engrams import RecallCurve
from spikemem.hippocampus import FreelyRecalled, FreeRecall


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """People who recall the last three of twenty words, from the last but two on; and their times."""
    (own := tmp_path / "free_recall").mkdir()
    rows = ["subject,list,item,input,output,study,recall,repeat,intrusion,list length"]
    for item in range(1, 21):
        output = f"{item - 17}.0" if item > 17 else ""
        rows.append(f"1,1,{item},{item},{output},True,{item > 17},0,False,20")
    (own / "Murdock1962.csv").write_text("\n".join(rows))
    times = ["n_recalled,output_position,mean_irt_s,sem,n"] + [f"{n},{k},{k / 2},0.0,9" for n in range(1, 10) for k in range(1, n + 1)]
    (own / "human_irt_murdock_okada.csv").write_text("\n".join(times))
    return tmp_path


def perfect(lists: int = 5) -> FreelyRecalled:
    """As these people recall, and as fast."""
    items, times = np.full((lists, 20), -1), np.full((lists, 20), np.nan)
    items[:, :3], times[:, :3] = [17, 18, 19], [500.0, 1500.0, 3000.0]
    return FreelyRecalled(items, times)


def test_what_is_recalled_as_people_do_has_no_error(folder: Path) -> None:
    found, named = sim.measured(perfect(), 20, folder)
    assert [found[name] for name in ("spc", "pfr", "crp", "sum", "sd")] == [0.0] * 5
    assert found["recalled"] == found["people_recalled"] == 3.0
    assert isinstance(named["spikes"]["crp"], RecallCurve)
    others = perfect()._replace(items=np.where(perfect().items >= 0, perfect().items - 1, -1))
    assert sim.measured(others, 20, folder)[0]["spc"] > 0.2


def test_times_are_compared_by_number_recalled_and_output_position(folder: Path) -> None:
    items, times = np.tile(np.where(np.arange(20) < 7, np.arange(20), -1), (6, 1)), np.full((6, 20), np.nan)
    times[:, :7] = 1000.0 * np.cumsum(np.arange(1, 8))
    eight = np.full((6, 20), np.nan)
    eight[:, :8] = 1000.0 * np.cumsum(np.arange(1, 9))
    both = FreelyRecalled(np.concatenate([items, items]), np.concatenate([times, eight]))
    found = sim.beside(both, folder)
    assert found is not None
    assert len(found.model) == 6 + 7  # first recalls are left out
    assert (found.r, found.exponent, found.ratio) == pytest.approx((1.0, 1.0, 0.5))
    assert sim.beside(perfect(), folder) is None


def test_the_command_simulates_prints_and_draws(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sim, "FreeRecall", partial(FreeRecall, patience=15, cells=10))
    monkeypatch.setattr(sim, "TOGETHER", 4)
    arguments = ["--data", str(folder), "--lengths", "20", "--lists", "4", "--json", "--figure", str(folder / "a.png")]
    sim.main(sim.parser.parse_args(arguments))
    found = json.loads(capsys.readouterr().out)
    assert found["L20"]["lists"] == 4
    assert 0 < found["L20"]["recalled"] < 20
    assert found["CMR, L20"]["sum"] == pytest.approx(0.156)
    assert (folder / "a.png").stat().st_size > 10_000
    sim.main(sim.parser.parse_args([*arguments[:6], "4", "--silence", "report"]))
    assert "recalled 0.000" in capsys.readouterr().out
