"""Inhibitory plasticity makes an engram selective: with the rule silenced nothing changes over the day."""

from argparse import Namespace

import pytest

from sims.papers import engram_selectivity as sim

pytestmark = pytest.mark.slow


def test_inhibition_makes_an_engram_selective(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim, "HOURS", (1, 8))
    args = Namespace(eta=0.008, target=14.0, cues=2, part=0.9)
    learns, silenced = (sim.day(0, share, args)["course"] for share in (1.0, 0.0))
    assert learns[1]["inhibition"] > 1.2 * learns[0]["inhibition"] > 1.2
    assert silenced[1]["inhibition"] == silenced[0]["inhibition"] == pytest.approx(1.0)
    for course, ratio in ((learns, 1.6), (silenced, 1.0)):
        first, last = (c["rates"] for c in course)
        assert last[0] / last[1] > ratio
        assert first[0] > sim.CRITERION
    assert learns[1]["rates"][1] < 0.5 * silenced[1]["rates"][1]


def test_quarter_of_inhibition_learns_alone() -> None:
    animal = sim.Animal.of(0)
    net = sim.network(animal, animal.weights, {"IE": sim.InhibitorySTDP()}, learns=0.25)
    learning = [p.plasticity is not None for p in net.projections if p.name.startswith("I->E")]
    assert sorted(learning) == [False, True]
