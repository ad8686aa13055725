"""Training steps 0 and 1 of SPMN: what is drawn, how it is judged, and that it is learned."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from sims.learning import spmn_gates
from spikemem.cli import app
from spikemem.data.datasets import PAIRS, pairs
from spikemem.errors import DataError, MissingDataError, TrainingError
from spikemem.memory import embed
from spikemem.spmn import RateV1
from spikemem.training import slots, write_similarity
from spikemem.training.spmn import CELLS, SPREAD, distinct
from tests import published
from tests.fakes import FakeEmbedder


def sentences(n: int, seed: int, size: int = 24) -> Tensor:
    """Vectors about a few topics."""
    generator = torch.Generator().manual_seed(seed)
    topics = torch.randn(6, size, generator=torch.Generator().manual_seed(9))
    return topics[torch.randint(6, (n,), generator=generator)] + torch.randn(n, size, generator=generator)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    published.everything(tmp_path)
    for part in ("train", "dev", "test"):
        texts = [f"{part} {a} {b}" for a in ("one", "two", "three", "four", "five") for b in ("boat", "house", "tree", "river")]
        rows = "".join(f"g\tf\t2012\t1\t4.0\t{text} sinks.\t{text} is sinking.\n" for text in texts)
        published.put(tmp_path / f"stsbenchmark/sts-{part}.csv", rows)
    return tmp_path


def test_pairs_are_read_with_their_scores(data: Path) -> None:
    assert pairs(data, "STS-B", "dev")[0] == ("dev one boat sinks.", "dev one boat is sinking.", 4.0)
    published.put(data / "chinese/AFQMC/test.txt", "花呗 \t借呗\n一\t二\t1\n")
    assert pairs(data, "AFQMC", "test") == [("花呗", "借呗", None), ("一", "二", 1.0)]
    with pytest.raises(MissingDataError, match=r"sts-b-train\.txt"):
        pairs(data, "STS-B-zh")
    with pytest.raises(DataError, match="it must be one of train, dev, test"):
        pairs(data, "STS-B", "eval")


@pytest.mark.parametrize(
    ("name", "sizes"), [("STS-B", (5749, 1500, 1379)), ("STS-B-zh", (5231, 1458, 1361)), ("AFQMC", (34334, 4316, 3861))]
)
def test_the_real_pairs_have_their_sizes(name: str, sizes: tuple[int, ...]) -> None:
    from tests.data.test_datasets import DATA

    try:
        found = tuple(len(pairs(DATA, name, part)) for part in ("train", "dev", "test"))
    except MissingDataError as error:
        pytest.skip(f"{error}: set SPIKEMEM_DATA to a folder with the published files")
    assert found == sizes
    assert set(PAIRS) == {"STS-B", "STS-B-zh", "AFQMC"}


@pytest.mark.parametrize("n", [12, 5000])
def test_stories_have_no_sentence_twice_and_moments_apart(n: int) -> None:
    known = torch.arange(float(n))[:, None]
    happened = slots.stories(known, 200, 10, torch.Generator().manual_seed(0))
    assert all(len(set(story.flatten().tolist())) == 10 for story in happened.content)
    assert happened.time.diff(dim=1).min() > slots.GAP - 1e-6
    assert happened.time.min() >= 0
    assert happened.time.max() <= 1
    assert abs(happened.time.mean() - 0.5) < 0.02
    order = happened.content[:, 0, 0] < happened.content[:, 1, 0]
    assert 0.35 < order.double().mean() < 0.65  # a sentence's place in the file says nothing of its moment


def told() -> tuple[slots.Slots, slots.Happened]:
    """Three events; four slots that recall them, and one that is not sure."""
    content = torch.eye(3)[None]
    happened = slots.Happened(torch.tensor([[0.1, 0.5, 0.9]]), content, torch.ones(1, 3, dtype=torch.bool))
    four = torch.cat([content, -torch.ones(1, 1, 3)], 1)
    return slots.Slots(torch.tensor([[0.1, 0.5, 0.9, 0.4]]), torch.tensor([[0.9, 0.9, 0.9, 0.1]]), four), happened


def test_recalls_are_counted() -> None:
    recalled, happened = told()
    perfect = slots.judge(recalled, happened)
    assert (perfect.content, perfect.time, perfect.missed, perfect.false, perfect.displaced) == (pytest.approx(1.0), 0.0, 0.0, 0.0, 0.0)
    assert perfect.calibration == pytest.approx(0.1)
    unsure = slots.judge(recalled._replace(confidence=torch.tensor([[0.9, 0.2, 0.9, 0.1]])), happened)
    assert (unsure.missed, unsure.false, unsure.recalls) == (pytest.approx(1 / 3), 0.0, 2)
    invented = slots.judge(recalled._replace(confidence=torch.tensor([[0.9, 0.9, 0.9, 0.8]])), happened)
    assert (invented.missed, invented.false) == (0.0, 0.25)
    late = slots.judge(recalled._replace(time=torch.tensor([[0.1, 0.8, 0.9, 0.4]])), happened)
    assert (late.missed, late.displaced, late.time) == (0.0, pytest.approx(1 / 3), pytest.approx(0.1))
    twice = recalled.content.clone()
    twice[0, 1] = torch.tensor([0.9, 0.1, 0.0])
    few = slots.Slots(*(part[:, :2] for part in recalled))
    fewer = slots.judge(few, happened)
    assert (fewer.events, fewer.missed, fewer.false) == (3, pytest.approx(1 / 3), 0.0)  # of two slots, the third event has none
    wrong = slots.judge(recalled._replace(content=twice), happened)
    assert (wrong.missed, wrong.false) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


@pytest.mark.slow
def test_slots_are_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stories of one sentence are enough for its recall to come near."""
    monkeypatch.setattr(slots, "LONGEST", 1)
    torch.manual_seed(0)
    model = slots.network(24, RateV1, 24, 1)
    before = slots.evaluate(model, sentences(60, 1), length=1, n=100)
    history = slots.train(model, sentences(300, 0), replace(slots.DEFAULT, epochs=2))
    after = slots.evaluate(model, sentences(60, 1), length=1, n=100)
    assert len(history.losses) == 2 * slots.STEPS
    assert before.content < 0.3
    assert after.content > 0.6


@pytest.mark.slow
def test_write_similarity_is_learned() -> None:
    torch.manual_seed(0)
    model = write_similarity.network(24, RateV1, 24, 1)
    unseen = sentences(100, 1)
    before = write_similarity.evaluate_all(model, unseen, unseen[:3])
    seen = sentences(300, 0)
    write_similarity.train(model, seen, seen + 0.5 * sentences(300, 2), replace(write_similarity.DEFAULT, epochs=1, lr=1e-3))
    after = write_similarity.evaluate_all(model, unseen, unseen[:3])
    assert before.correlation < 0.8 < 0.85 < after.correlation
    assert after.error < 0.8 * before.error
    paired = write_similarity.evaluate(model, unseen[:50], unseen[50:], unseen[:0])
    assert len(paired.events) == 50
    assert paired.correlation > 0.8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_model_on_a_gpu_is_judged_there() -> None:
    torch.manual_seed(0)
    unseen = sentences(100, 1)
    network = write_similarity.network(24, RateV1, 24, 1)
    here = write_similarity.evaluate_all(network, unseen, unseen[:3]).correlation
    assert write_similarity.evaluate_all(network.cuda(), unseen, unseen[:3]).correlation == pytest.approx(here, abs=1e-3)
    assert write_similarity.evaluate(network, unseen[:50], unseen[50:], unseen[:3]).changes.device.type == "cpu"
    assert slots.evaluate(slots.network(24, RateV1, 24, 1).cuda(), unseen, n=10).events == 80


@pytest.mark.parametrize("name", ["spiking", "rate"])
def test_without_a_sense_of_time_the_cell_begins_with_one_address_at_which_events_add_up(name: str) -> None:
    torch.manual_seed(0)
    model = write_similarity.network(24, CELLS[name], 32, 2)
    memory = model.remember({"text": sentences(2, 0)[None]})
    rows = memory[0].square().mean(2).sqrt()
    assert rows[:, :SPREAD].mean() > 50 * rows[:, SPREAD:].mean()
    assert model.cell.steps == (64 if name == "spiking" else 0)
    unseen = sentences(100, 1)
    assert write_similarity.evaluate_all(model, unseen, unseen[:3]).correlation > 0.75  # untrained: what is alike is written alike


@pytest.mark.parametrize("name", ["spiking", "rate"])
def test_with_a_sense_of_time_addresses_begin_as_a_map_of_it(name: str) -> None:
    torch.manual_seed(0)
    model = slots.network(24, CELLS[name], 64, 1)
    moments = torch.linspace(0.1, 0.9, 9)
    memory = model.remember({"text": sentences(9, 0)[None], "time": moments[None]})[0, 0]
    strength = memory.square().mean(1).sqrt()
    for moment in moments:
        assert strength[round(63 * moment.item())] > 0.1
        assert strength[round(63 * (moment.item() + 0.05))] < 0.05  # between two events nothing is written


def test_the_last_memory_alone_is_that_of_the_writes() -> None:
    torch.manual_seed(0)
    model = slots.network(24, CELLS["rate"], 16, 2)
    stimuli = slots.stimuli(slots.stories(sentences(50, 0), 3, 4, torch.Generator().manual_seed(0)))
    written = model.write(stimuli)
    assert len(written.gates) == 4
    assert torch.allclose(written.memory, model.remember(stimuli), atol=1e-6)


@pytest.mark.slow
def test_the_spiking_cell_learns_write_similarity_and_lies_near_its_rate_twin() -> None:
    torch.manual_seed(0)
    model = write_similarity.network(24, CELLS["spiking"], 32, 4)
    unseen, seen = sentences(100, 1), sentences(300, 0)
    before = write_similarity.evaluate_all(model, unseen, unseen[:3])
    write_similarity.train(model, seen, seen + 0.5 * sentences(300, 2), replace(write_similarity.DEFAULT, epochs=1, lr=1e-3))
    after = write_similarity.evaluate_all(model, unseen, unseen[:3])
    model.cell.steps = 0
    assert before.correlation < 0.905 < after.correlation  # untrained, .86 to .90 from seed to seed; trained, .92
    assert after.error < 0.85 * before.error
    assert write_similarity.evaluate_all(model, unseen, unseen[:3]).correlation > after.correlation


@pytest.mark.slow
def test_the_spiking_cell_learns_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "LONGEST", 3)
    torch.manual_seed(0)
    model = slots.network(24, CELLS["spiking"], 32, 1)
    unseen = sentences(60, 1)
    before = slots.evaluate(model, unseen, length=2, n=100)
    slots.train(model, sentences(300, 0), replace(slots.DEFAULT, epochs=2, lr=3e-3))
    after = slots.evaluate(model, unseen, length=2, n=100)
    assert before.content < 0.3 < 0.6 < after.content
    assert after.time < 0.1 < before.time


@pytest.mark.slow
def test_gates_of_the_spiking_cell_are_measured_beside_its_rate_twins(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (slots, write_similarity):
        monkeypatch.setattr(module, "STEPS", 1)
    for task in ("write", "slots"):
        options = ["--data", str(data), "--task", task, "--epochs", "1", "--steps", "4", "64", "--stories", "4"]
        apart = spmn_gates.measure(spmn_gates.parser.parse_args(options), FakeEmbedder())
        assert set(apart) == {"update", "reset", "candidate", "memory"}
        for gate, by_steps in apart.items():
            assert 0 < by_steps[64] < 0.5 * by_steps[4] < 0.5, gate


@pytest.mark.slow
def test_a_run_leaves_the_callers_chance_and_the_decoder_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (slots, write_similarity):
        monkeypatch.setattr(module, "STEPS", 1)
    seen, state = sentences(20, 0), torch.get_rng_state()
    one = write_similarity.run("rate-v1", {"a": (seen, seen)}, {"a": (seen, seen)}, replace(write_similarity.DEFAULT, epochs=1))
    two = slots.run("rate-v1", seen, seen, replace(slots.DEFAULT, epochs=1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.requires_grad for made in (one, two) for parameter in made.model.parameters())


@pytest.mark.slow
def test_a_checkpoint_of_another_cell_or_task_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (slots, write_similarity):
        monkeypatch.setattr(module, "STEPS", 1)
    seen = sentences(20, 0)
    kept = replace(slots.DEFAULT, epochs=1, checkpoint=tmp_path)
    slots.run("spiking", seen, seen, kept)
    with pytest.raises(TrainingError, match=r"is of what happened when, spiking cell, .*, not of what happened when, rate cell"):
        slots.run("rate", seen, seen, kept)
    with pytest.raises(TrainingError, match=r"not of likeness of memory changes, spiking cell, 20 pairs"):
        write_similarity.run("spiking", {"a": (seen, seen)}, {"a": (seen, seen)}, kept)


def test_distinct_keeps_the_first_of_each() -> None:
    given = torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [5.0, 6.0]])
    assert distinct(given, but=given[1:2]).tolist() == [[1.0, 2.0], [5.0, 6.0]]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["write", "slots"])
def test_the_command_trains_and_writes_weights(task: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "SentenceEmbedder", FakeEmbedder)
    for module in (slots, write_similarity):
        monkeypatch.setattr(module, "STEPS", 2)
    out = tmp_path / "spmn.safetensors"
    options = [
        "--task",
        task,
        "--data",
        str(data),
        "--cell",
        "rate-v1",
        "--epochs",
        "1",
        "--out",
        str(out),
        "--embeddings",
        str(tmp_path / "e"),
    ]
    result = CliRunner().invoke(app, ["train", "spmn", *options, "--json"])
    assert result.exit_code == 0, result.output
    assert out.stat().st_size > 10_000
    assert ('"content"' if task == "slots" else '"correlation"') in result.stdout


@pytest.mark.parametrize(
    ("options", "clue"),
    [
        (["--task", "sing", "--data", "."], "no task 'sing'; there are write, slots"),
        (["--task", "slots", "--data", "nowhere"], "no nowhere/stsbenchmark/sts-train.csv"),
        (["--task", "slots", "--data", "DATA", "--cell", "lstm"], f"no cell 'lstm'; there are {', '.join(CELLS)}"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    options: list[str], clue: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "SentenceEmbedder", FakeEmbedder)
    options = [str(data) if option == "DATA" else option for option in options]
    result = CliRunner().invoke(app, ["train", "spmn", *options, "--embeddings", str(tmp_path / "e")])
    assert result.exit_code == 2
    assert clue in result.stderr
