"""The pattern tasks, tiny: what an episode holds, and that what is learned is owed to the fast weights."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sims.papers import hebbian_patterns as sim

SMALL = sim.Associations(labels=6, trained=(2, 3), tested=(2, 3, 5))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(each: int = 10) -> sim.CrossModal:
    """Images of one lit pixel, by class, and a faint one that says which image it is."""
    classes = torch.arange(sim.CLASSES).repeat_interleave(each)
    pixels = torch.eye(sim.CLASSES)[classes]
    mark = torch.arange(len(classes))[:, None] / 1000
    return sim.CrossModal(torch.cat([pixels, mark], 1), classes)


def test_an_episode_of_associations_has_a_label_for_each_vector_and_asks_for_one() -> None:
    one = SMALL.draw(200, 5, seeded())
    labels = one.items.argmax(2)
    assert all(len(set(row.tolist())) == 5 for row in labels)
    assert torch.equal(one.cue, one.cues[torch.arange(200), one.own])
    assert one.cues.square().sum(2).mean().item() == pytest.approx(1.0, rel=0.05)
    assert set(one.own.tolist()) == set(range(5))
    assert SMALL.right(one.items[torch.arange(200), one.own], one).all()
    assert not SMALL.right(one.items[torch.arange(200), (one.own + 1) % 5], one).any()


def test_a_cross_modal_episode_pairs_classes_by_chance_and_keeps_test_images_apart() -> None:
    task = images()
    train, test = task.draw(400, 4, seeded()), task.draw(400, 4, seeded(), test=True)
    for one, tested in ((train, False), (test, True)):
        number = (one.items[..., -1] * 1000).round().long()
        assert ((number % 5 == 0) == tested).all()
        assert all(len(set(row.tolist())) == 4 for row in task.classes[number])  # no class twice
    assert not torch.equal(train.cue, train.cues[torch.arange(400), train.own])  # another utterance
    nearest = (train.cues @ train.cue[:, :, None])[..., 0].argmax(1)
    assert (nearest == train.own).float().mean() > 0.7  # of the same class
    own = sim.asked(train)
    assert task.right(own, train).all()
    assert task.loss(own, train) == 0


def test_utterances_of_a_class_differ_and_are_more_alike_than_those_of_others() -> None:
    sounds = sim.utterances(torch.arange(sim.CLASSES).repeat(30, 1), seeded())
    assert sounds.shape == (30, sim.CLASSES, sim.FRAMES * sim.CHANNELS)
    torch.testing.assert_close(sounds.norm(dim=2), torch.ones(30, sim.CLASSES))
    mean = sounds.mean(0)
    assert torch.equal((mean @ mean.T).argmax(1), torch.arange(sim.CLASSES))
    assert not torch.equal(sounds[0], sounds[1])


@pytest.mark.slow
def test_what_is_learned_is_in_the_fast_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim, "BATCHES", 40)
    monkeypatch.setattr(sim, "CELLS", 40)
    settings = replace(sim.SETTINGS, epochs=1)
    network = sim.train(SMALL, "spiking", settings)
    right = {length: sim.accuracy(network, SMALL, length, 300, seed=0) for length in SMALL.tested}
    assert right[3] > 0.9
    assert right[5] > 0.8  # longer than any episode of the training
    network.silence()
    assert sim.accuracy(network, SMALL, 3, 300, seed=0) < SMALL.chance(3) + 0.1


@pytest.mark.slow
def test_drawn_synapses_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim, "BATCHES", 3)
    made = {kind: sim.train(SMALL, kind, replace(sim.SETTINGS, epochs=1)) for kind in sim.TRAINED}
    torch.manual_seed(sim.SETTINGS.seed)
    first = sim.PatternNetwork(SMALL, "spiking")
    for kind, network in made.items():
        for name in ("key", "value"):
            assert torch.equal(getattr(network, name).weight, getattr(first, name).weight) == (kind == "drawn")
        assert not torch.equal(network.output.weight, first.output.weight)
        assert network.memory.steps == (0 if kind == "rate" else sim.STEPS)


@pytest.mark.slow
def test_the_command_makes_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sim, "BATCHES", 2)
    monkeypatch.setattr(sim, "digits", images)
    trained, train = [], sim.train
    monkeypatch.setattr(sim, "train", lambda *given: trained.append(given[1]) or train(*given))
    arguments = ["--seeds", "0", "--epochs", "1", "--episodes", "20", "--out", str(tmp_path / "made.json"), "--kinds", "spiking"]
    sim.main(arguments)
    sim.main([*arguments, "drawn"])
    assert trained == ["spiking", "spiking", "drawn", "drawn"]  # of two tasks
    made = json.loads((tmp_path / "made.json").read_text())
    assert {(row["task"], row["kind"]) for row in made["rows"]} == {
        (task, kind) for task in ("associations", "cross-modal") for kind in ("spiking", "silenced", "drawn")
    }
    assert set(made["examples"]) == {"spiking", "silenced", "drawn"}
    table = capsys.readouterr().out
    assert "chance" in table
    assert "50 *" in table
